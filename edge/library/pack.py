"""The facts of a content pack, and what can be wrong with one.

Pure facts. Reading the text of a lesson belongs to `lesson`, reading a folder to
`folder`, judging the whole to `check`. The format is described in docs/packs.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.words import Value, words_for

ItemKind = Literal["choice", "number", "text"]

AUDIENCES = ("pupils", "patients")
"""Whom a pack may be for; what is not for pupils is asked first wherever it is installed."""

SUBJECTS = {
    "es": ("matematicas", "lenguaje", "ciencias", "sociales", "salud"),
    "pt": ("matematica", "portugues", "ciencias", "sociais", "saude"),
    "en": ("mathematics", "language", "science", "social", "health"),
}
"""The subjects a lesson may have, by the language of its pack."""


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer of a choice; `feedback` says what is wrong with it, or nothing."""

    text: str
    right: bool
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One exercise."""

    id: str
    """LESSON_ID/NUMBER; the number never changes."""

    kind: ItemKind
    prompt: str
    options: tuple[Option, ...]
    keys: tuple[str, ...]
    """What counts as right: spellings of a text, or the one number as written."""

    hints: tuple[str, ...]
    because: str
    sum: str = ""
    """The arithmetic behind the key, or nothing."""

    line: int = 0


@dataclass(frozen=True, slots=True)
class BankEntry:
    """A reviewed question of the answer bank, with its answer, shown word for word."""

    question: str
    variants: tuple[str, ...]
    text: str
    line: int = 0
    heard: tuple[str, ...] = ()
    """How pupils asked it, mistakes and all; from `asked.toml`."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: a text, its exercises and its answer bank."""

    pack: str
    id: str
    """PACK/FILE NAME without .md, for example primaria/4-ciencias-fotosintesis."""

    title: str
    lang: str
    grade: int
    subject: str
    minutes: int
    keywords: tuple[str, ...]
    sources: tuple[str, ...]
    text: str
    items: tuple[Item, ...]
    bank: tuple[BankEntry, ...]
    path: Path
    text_line: int = 1


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of lessons in one language."""

    id: str
    title: str
    lang: str
    version: int
    licence: str
    authors: tuple[str, ...]
    description: str
    folder: Path
    lessons: tuple[Lesson, ...]
    unheld: tuple[str, ...] = ()
    """What pupils ask that no lesson here answers; from `unheld.toml`."""

    strict: bool = False
    """Whether it is quoted word for word with its page, and never put in other words by anybody."""

    audience: str = AUDIENCES[0]

    @property
    def is_asked_first(self) -> bool:
        """Tell whether school content comes only after it: a guideline, or what is taught to patients."""
        return self.strict or self.audience != AUDIENCES[0]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong at one line of one file of a pack."""

    path: Path
    line: int
    key: str
    values: tuple[tuple[str, Value], ...] = ()

    def say(self, lang: str) -> str:
        """Return `file:line: what is wrong` in `lang`."""
        sentence = words_for("edge", lang).say(f"complaints.{self.key}", **dict(self.values))
        return f"{self.path}:{self.line}: {sentence}"


def complaint(path: Path, line: int, key: str, **values: Value) -> Complaint:
    """Return a Complaint; the values fill its sentence."""
    return Complaint(path, line, key, tuple(values.items()))
