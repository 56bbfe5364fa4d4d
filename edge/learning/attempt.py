"""What happened, as facts that never change: an answer given, a question asked.

Pure. A correction is a new attempt. Every fact is named by its device and a number
that device never uses twice, so that what several devices saw can be united later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer of one learner to one item."""

    device: str
    seq: int
    """Grows by one with each attempt on its device."""

    learner: str
    lesson: str
    item: str
    given: str
    right: bool
    hints: int
    """How many hints were shown before the answer."""

    seconds: float
    at: str
    """When, in UTC as ISO 8601; the clock of the device may be wrong, `seq` never is."""

    option: str = ""
    """The letter of the option that was chosen; nothing where there were none, or what was typed is none of them."""


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One question and what was answered."""

    device: str
    seq: int
    learner: str
    """Empty when nobody had said who was asking."""

    question: str
    mode: str
    text: str
    lesson: str
    """The lesson of the first source; empty when there was none."""

    at: str


def stamp(moment: datetime) -> str:
    """Return `moment` as the facts carry it: UTC, whole milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
