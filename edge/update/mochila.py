"""Find the stick that brings updates in: a mounted folder that holds AMAUTA/release.

The same stick takes bundles out; they have their place beside it, AMAUTA/ENTREGAS. Looks at names
only: whether a release may be trusted is decided elsewhere, before a byte of it is read.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge.stick import FOLDER

RELEASE = "release"
METADATA = "metadata"
MOUNTS = ("/media", "/run/media", "/mnt", "/Volumes")
"""Where systems put sticks: directly below, or below the name of a person."""

NAMED = "AMAUTA_STICK"


def find(environ: Mapping[str, str], mounts: Iterable[Path] | None = None) -> list[Path]:
    """Return the release folders of the sticks that are here, the one that was named first."""
    named = [Path(environ[NAMED])] if environ.get(NAMED) else []
    places = [*named, *(_drives() if mounts is None else _below(mounts))]
    found = (release_folder(place) for place in places)
    return list(dict.fromkeys(folder for folder in found if folder is not None))


def release_folder(place: Path) -> Path | None:
    """Return the release in a folder: the folder itself, that of AMAUTA, or that of a whole stick."""
    for folder in (place, place / RELEASE, place / FOLDER / RELEASE):
        try:
            if (folder / METADATA).is_dir():
                return folder
        except OSError:
            continue  # pulled out while we looked
    return None


def _drives() -> list[Path]:
    if os.name == "nt":
        # A and B were floppy drives, which take seconds to say that they are empty.
        return [Path(f"{letter}:\\") for letter in string.ascii_uppercase[2:]]
    return _below(map(Path, MOUNTS))


def _below(mounts: Iterable[Path]) -> list[Path]:
    """Return the folders one and two levels below each mount point that is there."""
    found: list[Path] = []
    for mount in mounts:
        first = _folders(mount)
        found += [*first, *(folder for person in first for folder in _folders(person))]
    return found


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []
