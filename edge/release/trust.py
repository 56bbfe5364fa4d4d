"""Decide whom to believe: a release from a folder or an address, verified against the keys this device remembers.

TUF (python-tuf) does the deciding; nothing is parsed before it was verified, and nothing here
writes outside `HOME/trust`. Reading folders and servers belongs to `sources`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from edge.errors import EdgeError
from edge.release.contents import Contents


class TrustError(EdgeError):
    """What was offered cannot be trusted, or not now."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A release that was verified, and the way to its bytes."""

    contents: Contents
    signed: date
    """The day it was signed; staff are shown its age."""

    expires: datetime

    def part(self, sha256: str, size: int) -> bytes:
        """Bring a part or a delta, compared with its hash before it is returned; raise TrustError."""
        return b""


def open_release(where: Path | str, home: Path, root: bytes | None = None, now: datetime | None = None) -> Trusted:
    """Verify the release in a folder or at an http(s) address; raise TrustError when it cannot be trusted.

    `root` counts only while `home` remembers no keys of its own; None means the one that came with the app.
    """
    raise TrustError("contents-wrong", where=str(where), reason="?")
