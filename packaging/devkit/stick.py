"""What shall be on one stick: the contract between planning, composing and writing.

Facts only. `plan` makes them, `write` obeys them, the receipt repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Filesystem = Literal["fat32", "exfat"]
Versions = tuple[tuple[str, str], ...]
"""What a stick carries, and which version of it."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of a data stick."""

    path: str
    """Where it goes on the stick: relative, with slashes, ASCII, no part of it `.` or `..`."""

    size: int
    """In bytes."""

    sha256: str
    source: Path
    """Where its bytes are now: in the depot, or beside the plan when the plan made it."""


@dataclass(frozen=True, slots=True)
class DataStick:
    """A stick with the portable app and its data, which any computer can read."""

    name: str
    """Which one of the site's sticks, as the site file calls it; also the printed label."""

    volume: str
    """The volume label, at most 11 characters, capital ASCII."""

    filesystem: Filesystem
    files: tuple[PlannedFile, ...]
    versions: Versions = ()

    @property
    def size(self) -> int:
        """Return the bytes of its files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class ImageStick:
    """A stick that starts a computer: one raw image."""

    name: str
    image: PlannedFile
    """The image file itself; its path is only its name."""

    bmap: Path | None = None
    """The block map beside it, where one was made; without it every byte is written."""

    versions: Versions = ()


Stick = DataStick | ImageStick
