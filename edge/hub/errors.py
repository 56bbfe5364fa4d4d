"""What can go wrong at a hub."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import EdgeError


class HubError(EdgeError):
    """The hub cannot do what was asked; what it had is as it was."""


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person at the hub can act on."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"):
            raise HubError("hub-full", path=path) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise HubError("hub-busy", path=path) from error
        raise HubError("hub-broken", path=path, reason=str(error)[:100]) from error
