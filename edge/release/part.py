"""The part: what has come of a file so far, waiting beside the place where it will be whole.

It survives cuts and kill -9. One process writes it at a time, and never beyond its folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge.errors import ModelError
from edge.files import BLOCK_BYTES, is_full
from edge.locks import take

SPARE_BYTES = 64 << 20
"""Left free on the disk, so that a pull never stops the rest of the computer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file, and how to know that it is that file."""

    name: str
    """Its name in the folder; never a path."""

    sha256: str
    size: int | None
    """In bytes; None when the catalogue does not say, then the source must."""


def part_of(folder: Path, wanted: Wanted) -> Path:
    """Return where a file waits until it is whole; another content has another place."""
    return folder / f"{wanted.name}.{wanted.sha256[:12]}.part"


def disk_error(error: OSError, folder: Path) -> ModelError:
    """Say in words what the disk refused."""
    if is_full(error):
        return ModelError("fetch-full", path=folder)
    return ModelError("fetch-disk", path=folder, reason=error.strerror or str(error))


def check_space(wanted: Wanted, folder: Path, here: int) -> None:
    """Raise ModelError when the disk has no room for what is missing."""
    need = max(0, (wanted.size or 0) - here) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < need:
        raise ModelError("fetch-space", path=folder, need=megabytes(need), free=megabytes(free))


def forget_others(folder: Path, wanted: Wanted) -> None:
    """Delete what an older catalogue left of a file of this name."""
    kept = part_of(folder, wanted)
    for path in folder.iterdir():
        if path.name.startswith(f"{wanted.name}.") and path.suffix == ".part" and path != kept:
            path.unlink(missing_ok=True)
    if kept.is_symlink():
        # Writing would follow it out of this folder.
        kept.unlink()


@contextmanager
def alone(part: Path) -> Iterator[IO[bytes]]:
    """Open the part for this process only; two that write one file would spoil it for both."""
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b") as file:
        if not take(file.fileno()):
            raise ModelError("fetch-busy", name=part.name.rsplit(".", 2)[0])
        try:
            yield file
        finally:
            empty = length(file) == 0
            if empty:
                file.close()
                part.unlink(missing_ok=True)


def length(file: IO[bytes]) -> int:
    """Return how many bytes are here."""
    file.flush()
    return os.fstat(file.fileno()).st_size


def digest(file: IO[bytes]) -> str:
    """Return the SHA-256 of what is here."""
    found = hashlib.sha256()
    file.seek(0)
    while block := file.read(BLOCK_BYTES):
        found.update(block)
    return found.hexdigest()


def megabytes(size: int) -> str:
    """Return a size the way people read it."""
    return f"{size / 1e6:.1f}"
