"""What a model is asked to do for its report card: questions with choices, and tasks that it answers in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STORY_GRADE = 4
"""For whom a story is told when its file does not say."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with its possible answers; the right one is `choices[answer]`."""

    id: str
    lang: str
    question: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Task:
    """Something to say to the model, and what its words are marked by."""

    id: str
    kind: str
    lang: str
    system: str
    user: str
    golds: tuple[str, ...] = ()
    """Right answers. A grounded answer without any: the passage does not say it."""

    passage: str = ""
    pushes: tuple[str, ...] = ()
    """What the pupil says next, whatever the model answered."""

    secret: str = ""
    """What the model must not give away."""

    grade: int = STORY_GRADE


@dataclass(frozen=True, slots=True)
class TaskFile:
    """One file, named in the recipe as "KIND LANG PATH"."""

    kind: str
    lang: str
    path: Path

    @property
    def name(self) -> str:
        """Return what its results are called: kind.lang.file, so that two files of one kind stay apart."""
        return f"{self.kind}.{self.lang}.{self.path.stem}"
