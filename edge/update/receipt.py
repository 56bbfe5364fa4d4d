"""What says that a release on this disk is whole, and what it holds: `installed.json`, the last file of its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.files import write_atomic
from edge.release.contents import Contents, ContentsError, ReleaseFile, parse, write
from edge.update.places import RECEIPT, Releases


def read_receipt(releases: Releases, number: int) -> Contents | None:
    """Return what an installed release holds, or None when there is no such receipt or it is damaged."""
    try:
        return parse((releases.whole(number) / RECEIPT).read_bytes()) if number else None
    except (OSError, ContentsError):
        return None


def write_receipt(releases: Releases, contents: Contents) -> None:
    """Say that a release is whole; the last write of its folder."""
    write_atomic(releases.whole(contents.number) / RECEIPT, write(contents))


def recorded(folder: Path) -> Iterator[ReleaseFile]:
    """Yield what the receipt in a release's folder names; nothing when it is no such folder."""
    if folder.name.isdecimal() and (contents := read_receipt(Releases(folder.parent), int(folder.name))):
        yield from contents.files
