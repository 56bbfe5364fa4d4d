"""Whether a disk may be written, and whether the technician has named it.

Pure. Everything that is not plainly a removable disk, free and large enough, is refused; a
mistake here costs somebody's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devkit.disks.disk import SWAP, Disk
from devkit.errors import KitError

LARGEST_STICK = 256 << 30
"""Above this it is more likely somebody's backup than a stick for a school."""

SYSTEM_FOLDERS = ("/", "/boot", "/usr", "/var", "/home", "/etc", "/opt", "/srv", "/nix", SWAP)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed beyond the usual, and what is needed."""

    need: int = 0
    """Bytes that go on it."""

    allow_loop: bool = False
    """Files that pose as disks: for tests and trials."""

    allow_large: bool = False


def objection(disk: Disk, rules: Rules) -> KitError | None:
    """Return why this disk must not be written, or nothing."""
    loop = disk.kind == "loop"
    if used := [place for place in disk.mounts if _is_system(place)]:
        return KitError("disk-system", disk=disk.path, where=", ".join(used[:4]))
    if disk.mounts:
        return KitError("disk-mounted", disk=disk.path, where=", ".join(disk.mounts[:4]))
    if loop and not rules.allow_loop:
        return KitError("disk-loop", disk=disk.path)
    if disk.kind not in ("disk", "loop"):
        return KitError("disk-kind", disk=disk.path, kind=disk.kind)
    if not (disk.removable or loop):
        return KitError("disk-fixed", disk=disk.path, model=disk.model or "?")
    return _unfit(disk, rules)


def _unfit(disk: Disk, rules: Rules) -> KitError | None:
    if disk.size == 0:
        return KitError("disk-absent", disk=disk.path)
    if disk.read_only:
        return KitError("disk-read-only", disk=disk.path)
    if disk.size > LARGEST_STICK and not rules.allow_large:
        return KitError("disk-large", disk=disk.path, size=gigabytes(disk.size), most=gigabytes(LARGEST_STICK))
    if disk.size < rules.need:
        return KitError("disk-small", disk=disk.path, size=gigabytes(disk.size), need=gigabytes(rules.need))
    return None


def candidates(disks: Iterable[Disk], rules: Rules) -> list[Disk]:
    """Return the disks that may be written."""
    return [disk for disk in disks if objection(disk, rules) is None]


def choose(disks: Iterable[Disk], path: str, rules: Rules) -> Disk:
    """Return the disk at `path`; raise KitError when it is none or must not be written."""
    listed = list(disks)
    free = ", ".join(disk.path for disk in candidates(listed, rules)) or "-"
    disk = next((disk for disk in listed if disk.path == path), None)
    if disk is None:
        raise KitError("disk-unknown", disk=path[:80], free=free)
    if refusal := objection(disk, rules):
        raise refusal
    return disk


def proofs(disk: Disk) -> tuple[str, ...]:
    """Return what a person may type to show that this very disk is meant: serial, label, else its size in bytes."""
    names = tuple(name for name in (disk.serial, *disk.labels) if name)
    return names or (str(disk.size),)


def confirms(disk: Disk, typed: str) -> bool:
    """Tell whether `typed` names this disk."""
    return typed.strip().casefold() in {proof.casefold() for proof in proofs(disk)}


def gigabytes(size: int) -> str:
    """Return a size as it is printed on sticks; small ones in MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _is_system(place: str) -> bool:
    return place in SYSTEM_FOLDERS or place.startswith(("/boot/", "/usr/", "/var/"))
