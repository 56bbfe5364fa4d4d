"""A small file of a stick, read at once, and one of this device, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from edge.errors import StoreError
from edge.files import write_atomic
from edge.site import SiteError

LARGEST_FILE = 2_000_000


def read_small(path: Path) -> bytes:
    """Return a file's bytes; raise SiteError where it cannot be read or is too large to be meant."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SiteError("site-unreadable", path=path, reason=error.strerror or str(error)) from error
    if len(content) > LARGEST_FILE:
        raise SiteError("site-unreadable", path=path, reason=f"> {LARGEST_FILE} bytes")
    return content


def write_kept(path: Path, content: bytes) -> None:
    """Write a file of this device; raise StoreError where that cannot be."""
    try:
        write_atomic(path, content)
    except OSError as error:
        raise StoreError("store-unwritable", path=path, reason=error.strerror or str(error)) from error
