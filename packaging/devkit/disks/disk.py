"""One attached disk, as `lsblk` tells it, and nothing about whether it may be written.

Pure: parsed JSON comes in, `Disk`s come out. Running lsblk belongs to `attached`, judging to `choice`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SWAP = "[SWAP]"
"""What lsblk calls the mount point of swap."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A whole disk, with what its partitions say about it."""

    path: str
    serial: str
    """As the maker or the USB bridge gave it; cheap sticks have none, or all the same."""

    labels: tuple[str, ...]
    """Of the file systems on it now."""

    model: str
    size: int
    """In bytes, as the disk claims."""

    sector: int
    """The smallest piece it can write, in bytes."""

    kind: str
    """`disk`, `loop`, `rom` and others, as lsblk calls them."""

    transport: str
    removable: bool
    read_only: bool
    mounts: tuple[str, ...]
    """Where anything of it is in use: mounted, as swap, or under LVM, RAID or encryption."""


def parse_disks(found: Any) -> tuple[Disk, ...]:
    """Return the disks in the answer of `lsblk -J -b -O`, of any version since 2.33."""
    rows = found.get("blockdevices") if isinstance(found, dict) else None
    return tuple(_disk(row) for row in rows or () if isinstance(row, dict) and row.get("type") != "part")


def _disk(row: dict[str, Any]) -> Disk:
    below = list(_walk(row))
    transport = _text(row, "tran")
    return Disk(
        path=_text(row, "path") or f"/dev/{_text(row, 'name')}",
        serial=_text(row, "serial"),
        labels=tuple(dict.fromkeys(label for part in below if (label := _text(part, "label")))),
        model=" ".join(f"{_text(row, 'vendor')} {_text(row, 'model')}".split()),
        size=int(row.get("size") or 0),
        sector=int(row.get("log-sec") or 512),
        kind=_text(row, "type"),
        transport=transport,
        removable=transport == "usb" or _is_set(row, "rm") or _is_set(row, "hotplug"),
        read_only=_is_set(row, "ro"),
        mounts=tuple(dict.fromkeys(place for part in below for place in _uses(part))),
    )


def _walk(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield row
    for child in row.get("children") or ():
        yield from _walk(child)


def _uses(row: dict[str, Any]) -> Iterator[str]:
    """Yield where a disk or a part of it is in use; one mount point, or a list of them since lsblk 2.37."""
    places = [row.get("mountpoint"), *(row.get("mountpoints") or ())]
    yield from (_text({"place": place}, "place") for place in places if place)
    if row.get("type") not in ("disk", "part", "loop", "rom"):
        yield _text(row, "path") or _text(row, "name")


def _text(row: dict[str, Any], name: str) -> str:
    """Return one line; a label may hold anything, and it is shown on a terminal."""
    return "".join(letter for letter in str(row.get(name) or "") if letter.isprintable()).strip()


def _is_set(row: dict[str, Any], name: str) -> bool:
    return row.get(name) in (True, 1, "1")
