"""Questions about a guideline that is quoted: its right passage, or the plain word that it does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor

DATA = Path(__file__).parent.parent / "tests" / "data"
HALVES = ("dev", "held")
"""The threshold was chosen on the first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question."""

    text: str
    wanted: str
    """Words of the right passage, or nothing."""

    mode: str
    said: str

    @property
    def good(self) -> bool:
        """Tell whether the right passage was quoted, or nothing where there is none."""
        return self.wanted in self.said and self.mode == "passage" if self.wanted else self.mode in ("none", "guard")


PACKS = {"es": ("guia", "primaria"), "pt": ("guiapt", "fundamental")}


def library_of_guidelines(langs: Sequence[str] = tuple(PACKS)) -> Library:
    """Return the guidelines of these languages beside the school's packs, as a health post has them."""
    named = [PACKS[lang] for lang in langs]
    folders = [DATA / "packs" / guide for guide, _ in named] + [EMBEDDED / school for _, school in named]
    return Library.in_memory([read_pack(folder) for folder in folders])


def questions(half: str) -> list[tuple[str, str, str]]:
    """Return text, language and words of the right passage of each question."""
    table: dict[str, list[dict[str, Any]]] = tomllib.loads((DATA / "guideline_questions.toml").read_text("utf-8"))[half]
    return [(row["text"], row["lang"], row.get("say", "")) for rows in table.values() for row in rows]


def ask_all(half: str, library: Library, reader: Reader, langs: Sequence[str] = tuple(PACKS)) -> list[Outcome]:
    """Ask every question of a half in these languages."""
    tutor = Tutor(library, lambda: reader, lambda: None)
    outcomes = []
    for text, lang, say in (row for row in questions(half) if row[1] in langs):
        reply = [event for event in tutor.answer(text, lang=lang) if isinstance(event, Reply)][-1]
        outcomes.append(Outcome(text, say, reply.mode, reply.text))
    return outcomes


def counts(outcomes: list[Outcome]) -> tuple[int, int, int, int]:
    """Return (rightly quoted, answerable, rightly nothing, not in the guideline)."""
    answerable = [one for one in outcomes if one.wanted]
    others = [one for one in outcomes if not one.wanted]
    return sum(one.good for one in answerable), len(answerable), sum(one.good for one in others), len(others)


def run() -> str:
    """Return the table."""
    library, reader = library_of_guidelines(), Reader.open()
    lines = ["| | the right passage | rightly *No está en la guía instalada* |", "|---|---|---|"]
    for half in HALVES:
        right, answerable, nothing, others = counts(ask_all(half, library, reader))
        lines.append(f"| {half} | {right} of {answerable} | {nothing} of {others} |")
    return "\n".join(lines)
