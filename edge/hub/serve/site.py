"""One hub as its server sees it: where everything is, how people reach it, and what time it is.

Handlers get it when the server is built; nothing here is a singleton.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge.hub.database import Database, Source
from edge.hub.place import Place
from edge.learning.attempt import stamp
from edge.words import LANGUAGES

UPLOADS = "uploads"
CONNECTIONS = 8
"""To PostgreSQL, for each worker."""


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """One hub that is served. Close `source` when done."""

    place: Place
    lang: str = LANGUAGES[0]
    """For who asks for no language that we speak."""

    secure: bool = False
    """People reach it through TLS: cookies must never travel otherwise."""

    now: Callable[[], datetime] = utc_now
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", Source(self.place, CONNECTIONS))

    def database(self) -> Database:
        """Open the database; close it when done."""
        return self.source.open()

    @property
    def uploads(self) -> Path:
        """Where bundles lie while they arrive."""
        return self.place.folder / UPLOADS

    def stamp(self) -> str:
        """Return the time as the database keeps it."""
        return stamp(self.now())

    def proof(self, purpose: str, text: str) -> str:
        """Return what only this hub, in any of its workers, can have made of `text`."""
        return hmac.digest(self.place.master, f"{purpose}\0{text}".encode(), hashlib.sha256).hex()
