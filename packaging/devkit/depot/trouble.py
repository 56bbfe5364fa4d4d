"""Say in words what the disk of the depot refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devkit.errors import KitError
from edge.files import is_full


@contextmanager
def disk_trouble(folder: Path) -> Iterator[None]:
    """Turn an OSError of the depot's disk into one clear sentence."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise KitError("depot-full", path=folder) from error
        raise KitError("depot-disk", path=folder, reason=error.strerror or str(error)) from error
