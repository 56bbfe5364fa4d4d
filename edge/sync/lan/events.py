"""What a courier tells its screen while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.errors import EdgeError

Kind = Literal["code", "wrong-code", "locked", "paired", "began", "received", "repeated", "refused", "trouble"]
"""
code: another code counts from now on; it is in `code`. locked: too many wrong codes, nobody new comes in until it
is opened again. began: a bundle of `total` bytes has begun to come. received: it is here for good. repeated: it was here
already. refused, trouble: what was wrong is in `error`.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    kind: Kind
    sender: int = 0
    """The how-manieth device since the courier was opened; nobody has a name here."""

    code: str = ""
    total: int = 0
    count: int = 0
    error: EdgeError | None = None
