"""Cut texts into pieces, and tell by hashes whether two of them say the same.

Pure. Letters' case, spaces and marks do not make a text another one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "chat"]
SPACE = re.compile(r"[\W_]+")
SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
LONG_SENTENCE = 60
"""Characters; shorter sentences may well be said twice by chance."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of a corpus."""

    lang: str
    kind: Kind
    text: str
    source: str
    licence: str
    held: bool
    own: str = ""
    """What of the text is its own, when not all of it: an exchange without the words that all have."""

    def marks(self) -> set[str]:
        """Return hashes of the piece and of each long sentence that is its own."""
        own = self.own or self.text
        long = (part for part in SENTENCE.split(own) if len(part) >= LONG_SENTENCE)
        return {mark_of(text) for text in (self.text, *long)}


def mark_of(text: str) -> str:
    """Return a hash that is the same for texts that differ only in case, spaces and punctuation."""
    return hashlib.sha256(SPACE.sub(" ", text.casefold()).strip().encode()).hexdigest()


def cut(text: str, chars: int) -> Iterator[str]:
    """Yield `text` in whole lines of about `chars` characters together; long lines are cut at sentences."""
    held: list[str] = []
    size = 0
    for line in _lines(text, chars):
        if size and size + len(line) > chars:
            yield "\n".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield "\n".join(held)


def _lines(text: str, chars: int) -> Iterator[str]:
    for line in text.splitlines():
        while len(line) > chars:
            at = line.rfind(". ", 0, chars) + 1 or line.rfind(" ", 0, chars) or chars
            yield line[:at].rstrip()
            line = line[at:].lstrip()
        if line.strip():
            yield line.rstrip()
