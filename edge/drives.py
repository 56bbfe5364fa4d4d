"""Which sticks are plugged in: removable drives that the system has mounted, empty ones too.

Deciding is pure: what the system says goes in, sticks come out. Asking it is one short read on Linux, so
that it may be done every few seconds. Nothing on a stick is opened but the names in its folder AMAUTA.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.stick import FOLDER, stick_folder
from edge.sync.stick import BACK

PLACES = ("/media/", "/run/media/", "/mnt/")
"""Where Linux systems put sticks; what is mounted elsewhere belongs to the system."""

ENROLMENT = "enrolment.json"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of what the system has mounted."""

    device: str
    place: str


@dataclass(frozen=True, slots=True)
class Drive:
    """One stick, as it was when it was looked at."""

    path: Path
    name: str
    """What a person calls it: its label."""

    enrolment: Path | None = None
    """A file that enrols devices at a hub, if the stick brings one."""

    acks: bool = False
    """Whether acknowledgements lie on it, for whomever."""

    ours: bool = False
    """Whether it has a folder AMAUTA."""

    writable: bool = True
    own: bool = False
    """Whether the app runs from it, so that it was not just put in."""


def find(environ: Mapping[str, str]) -> list[Drive]:
    """Return the sticks that are here, by name; one that is pulled out meanwhile is left out."""
    if sys.platform == "win32":
        from edge.windows_drives import letters

        found = [(root, label) for root, label, removable in letters() if removable or _has_ours(root)]
    elif sys.platform == "darwin":
        found = [(place, place.name) for place in _volumes(Path("/Volumes"))]
    else:
        mounts = parse(_text(Path("/proc/self/mounts")))
        found = [(place, place.name) for place in chosen(mounts, is_removable, _has_ours)]
    own = stick_folder(environ)
    # The stick the app runs from; a computer started from one may not write to it.
    if own and os.access(own, os.W_OK) and not any(own.is_relative_to(place) for place, _ in found):
        place = own.parent if own.name == FOLDER else own
        found.append((place, place.name or str(place)))
    seen = (looked_at(place, label, own) for place, label in found)
    return sorted((drive for drive in seen if drive), key=lambda drive: (drive.name.casefold(), drive.path))


def parse(text: str) -> list[Mount]:
    """Read /proc/self/mounts; a line that is not one is passed over."""
    fields = (line.split(" ") for line in text.split("\n"))
    return [Mount(_plain(each[0]), _plain(each[1])) for each in fields if len(each) >= 4]


def _plain(text: str) -> str:
    """Undo how the kernel writes spaces and the like: as a backslash and three octal digits."""
    if "\\" not in text:
        return text
    raw = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8) & 255]), os.fsencode(text))
    return os.fsdecode(raw)


def chosen(mounts: Iterable[Mount], removable: Callable[[str], bool], ours: Callable[[Path], bool]) -> list[Path]:
    """Return where sticks are mounted: below `PLACES`, and removable or made by Amauta."""
    # A stick may be mounted over another: the last one is seen.
    devices = {mount.place: mount.device for mount in mounts if mount.place.startswith(PLACES)}
    return [
        Path(place)
        for place, device in devices.items()
        if (device.startswith("/dev/") and removable(device)) or ours(Path(place))
    ]


def is_removable(device: str, system: Path = Path("/sys/class/block")) -> bool:
    """Tell whether a block device can be pulled out: removable by its own word, on USB, or a card that is no eMMC."""
    try:
        node = system / Path(os.path.realpath(device)).name
        # What is encrypted lies on top of the stick.
        below = sorted(path.name for path in (node / "slaves").iterdir()) if (node / "slaves").is_dir() else []
        disk = Path(os.path.realpath(system / below[0] if below else node))
        disk = disk.parent if (disk / "partition").exists() else disk
        return "/usb" in str(disk) or _text(disk / "removable") == "1" or _text(disk / "device" / "type") == "SD"
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""


def _volumes(folder: Path) -> list[Path]:
    try:
        # The system's own volume stands there too, as a link.
        return [path for path in folder.iterdir() if not path.is_symlink() and os.path.ismount(path)]
    except OSError:
        return []


def _has_ours(place: Path) -> bool:
    try:
        return (place / FOLDER).is_dir()
    except OSError:
        return False


def looked_at(place: Path, label: str = "", own: Path | None = None) -> Drive | None:
    """Return the stick at `place`, or None when there is none (any more)."""
    try:
        if not place.is_dir():
            return None
        enrolment, back = place / FOLDER / ENROLMENT, place / FOLDER / BACK
        acks = back.is_dir() and any(path.suffix == ".age" for path in back.iterdir())
        given = enrolment if enrolment.is_file() else None
        ours, writable = _has_ours(place), os.access(place, os.W_OK)
        return Drive(place, label or place.name, given, acks, ours, writable, bool(own and own.is_relative_to(place)))
    except OSError:
        return None
