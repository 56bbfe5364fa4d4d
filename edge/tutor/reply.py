"""What a turn gives: pieces to show, sentences to speak, one reply at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edge.errors import EdgeError

Mode = Literal["bank", "passage", "model", "guard", "none"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer stands."""

    pack: str
    lesson: str
    """The lesson's id, PACK/SLUG; empty for a computed sum without a lesson about it."""

    title: str
    passage: str
    """The words that answer, as they stand in the lesson."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show now."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence that may be spoken."""

    text: str


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


Event = Piece | Sentence | Reply

_END = re.compile(r"(?<=[.!?…])[»”\")]*\s+(?=[^a-záéíóúñ])")


def sentences_of(text: str) -> list[str]:
    """Cut a text into sentences; joined by spaces they give the words of the text again."""
    return [part for part in (piece.strip() for piece in _END.split(text)) if part]
