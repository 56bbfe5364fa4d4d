"""What a turn gives: pieces to show, sentences to speak, one reply at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edge.errors import EdgeError
from edge.words import Words

Mode = Literal["bank", "passage", "model", "guard", "none"]

LONG_WAIT_S, WAIT_STEP_S = 90, 5


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer stands."""

    pack: str
    lesson: str
    """The lesson's id, PACK/SLUG; empty for a computed sum without a lesson about it."""

    title: str
    passage: str
    """The words that answer, as they stand in the lesson."""

    page: str = ""
    """Of the guideline that is quoted, as printed; nothing in a lesson."""

    section: str = ""

    @property
    def place(self) -> str:
        """Title, section and page, as a reader looks them up on paper."""
        page = f"p. {self.page}" if self.page else ""
        return ", ".join(part for part in (self.title, self.section, page) if part)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show now."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence that may be spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model answers others first; who takes the question back frees the place."""

    place: int
    """1 is next."""

    seconds: float
    """In about so many its answer begins."""

    def say(self, words: Words) -> str:
        """Return place and time in plain words of `edge`, no more exact than they are known."""
        if self.seconds >= LONG_WAIT_S:
            return words.say("tutor.waiting.minutes", place=self.place, minutes=max(2, round(self.seconds / 60)))
        seconds = max(WAIT_STEP_S, WAIT_STEP_S * round(self.seconds / WAIT_STEP_S))
        return words.say("tutor.waiting.seconds", place=self.place, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer, once it is complete."""

    text: str
    mode: Mode
    sources: tuple[Source, ...]
    lang: str
    model: str
    """What made it: a model's name, `arithmetic`, `reader`, or nothing for words kept in the library."""

    first_piece_ms: int
    total_ms: int
    trouble: EdgeError | None = None
    """Why the model that was to write could not, where the answer was found without it."""


Event = Piece | Sentence | Waiting | Reply

_END = re.compile(r"(?<=[.!?…])[»”\")]*\s+(?=[^a-záéíóúñ])")


def sentences_of(text: str) -> list[str]:
    """Cut a text into sentences; joined by spaces they give the words of the text again."""
    return [part for part in (piece.strip() for piece in _END.split(text)) if part]
