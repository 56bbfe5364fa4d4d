"""What may leave a device, in the shape in which it leaves.

Pure. Minimum data: no name, a learner only as a keyed pseudonym, whole seconds instead of
milliseconds, and of what was typed only what cannot hold a name. Rows are named tuples, not
dataclasses: a school year is a million of them.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from edge.learning.grade import LETTERS

Kind = Literal["attempts", "turns", "erased"]
KINDS: tuple[Kind, ...] = ("attempts", "turns", "erased")

LONGEST_NAME = 200
"""Characters of a lesson or an item."""

LONGEST_TEXT = 20_000
"""Characters of a question or an answer of the tutor."""

LONGEST_GIVEN = 16
MOST_LETTERS = 2
"""An answer with more letters might be a name; «12 cm», «3/4» and «b» have at most so many."""


class Answer(NamedTuple):
    """One attempt, as it leaves."""

    seq: int
    learner: int
    lesson: str
    item: str
    given: str
    right: int
    hints: int
    tenths: int
    """Tenths of a second the answer took."""

    at: int
    """Seconds since 1970 by the device's clock, which may be wrong; 0 when it said nothing readable."""


class Talk(NamedTuple):
    """One turn, as it leaves; only where an adult allowed it."""

    seq: int
    learner: int
    """0 when nobody had said who was asking."""

    question: str
    mode: str
    text: str
    lesson: str
    at: int


class Erasure(NamedTuple):
    """Everything of one learner is to be forgotten, also what arrives later."""

    seq: int
    learner: int
    at: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Facts that share one name space: `(kind, device, seq)` is never used twice."""

    device: str
    attempts: tuple[Answer, ...] = ()
    turns: tuple[Talk, ...] = ()
    erased: tuple[Erasure, ...] = ()

    def count(self) -> int:
        """Return how many facts there are."""
        return len(self.attempts) + len(self.turns) + len(self.erased)


def pseudonym(secret: bytes, learner: str) -> int:
    """Return the number a learner is known by outside: 62 bits, never 0; nobody without the secret can link it."""
    digest = hmac.digest(secret, b"amauta-learner-1\0" + learner.encode("utf-8"), hashlib.sha256)
    return (int.from_bytes(digest[:8], "big") >> 2) + 1


def answer(row: tuple[Any, ...], learner: int) -> Answer:
    """Return a row of the store's attempts (seq, lesson, item, given, right, hints, seconds, at, option) as it leaves."""
    seq, lesson, item, given, right, hints, seconds, at, option = row
    return Answer(
        seq,
        learner,
        storable(lesson)[:LONGEST_NAME],
        storable(item)[:LONGEST_NAME],
        harmless(storable(given)) or letter(option),
        int(bool(right)),
        min(max(int(hints), 0), 1000),
        min(max(round(float(seconds) * 10), 0), 10_000_000),
        seconds_of(at),
    )


def talk(row: tuple[Any, ...], learner: int) -> Talk:
    """Return a row of the store's turns (seq, question, mode, text, lesson, at) as it leaves."""
    seq, *texts, at = row
    question, mode, text, lesson = map(storable, texts)
    clipped = (question[:LONGEST_TEXT], mode[:LONGEST_NAME], text[:LONGEST_TEXT], lesson[:LONGEST_NAME])
    return Talk(seq, learner, *clipped, seconds_of(at))


def harmless(given: str) -> str:
    """Return an answer that cannot hold a name, or nothing: a child may type hers into any box."""
    if len(given) > LONGEST_GIVEN or sum(map(str.isalpha, given)) > MOST_LETTERS:
        return ""
    return given


def letter(option: str) -> str:
    """Return the letter of an option: it stands for an answer whose text may not leave, and says no more than which."""
    return option if len(option) == 1 and option in LETTERS else ""


def storable(text: str) -> str:
    """Return a text without what no database of a hub keeps."""
    return text.replace("\0", "")


def seconds_of(at: str) -> int:
    """Return the seconds since 1970 that an ISO time stands for, 0 when it is not one."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return 0
    return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
