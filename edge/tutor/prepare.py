"""Read lessons ahead of time, so that the first question about each is answered as soon as the second: *déjalo trabajando*.

A lesson counts as ready when it lies whole on disk; what a power cut interrupts is read again the next time. Stays
within the budget of the folder, and never throws out what this same work has just made ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from edge.errors import ModelError
from edge.learning.store import Store
from edge.library.library import LessonRow, Library
from edge.llama.beginnings import LEAST_TOKENS
from edge.onnx.opening import Loaded
from edge.settings import Settings
from edge.tutor.generate import MOST_TOKENS
from edge.tutor.prompt import about_lesson, fits, lesson_text
from edge.words import Words

MEGABYTE = 1 << 20

TURNS_LOOKED_AT = 20
"""Of each person; what was asked longer ago says little about tomorrow."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is."""

    total: int
    new: int = 0
    """Lessons that were read now."""

    there: int = 0
    """Lessons that were ready before."""

    long: int = 0
    """Lessons that leave this model no room for a question."""

    size: int = 0
    """Bytes on disk of those that are ready."""

    title: str = ""
    """The lesson that is being read."""

    ended: Literal["", "done", "full", "stopped"] = ""
    """Why nothing more comes: all looked at, the budget spent, or told to stop."""

    @property
    def looked_at(self) -> int:
        """Return how many lessons are behind us."""
        return self.new + self.there + self.long

    @property
    def left(self) -> int:
        """Return how many lessons nobody has looked at."""
        return self.total - self.looked_at

    def say(self, words: Words) -> str:
        """Say in words of `edge` what was done, and why the rest was not."""
        said = [words.say("prepare.done", new=self.new, there=self.there, megabytes=-(-self.size // MEGABYTE))]
        if self.long:
            said.append(words.say("prepare.long", count=self.long))
        if self.left and self.ended:
            said.append(words.say(f"prepare.{self.ended}", left=self.left))
        return " ".join(said)


def prepare(engine: Loaded, library: Library, lessons: Sequence[str], stop: Callable[[], bool]) -> Iterator[Progress]:
    """Make lessons ready, the first ones first; yield how far it is before each of them and once at the end.

    Raises PackError for a lesson that is not there, and ModelError when the disk takes no more or the model fails.
    """
    kept = engine.beginnings
    if kept is None:
        raise ValueError("this engine keeps no beginnings")
    known = set(kept.folder.glob("*"))
    largest, now = 0, Progress(len(lessons))
    for name in lessons:
        lesson = library.lesson(name)
        yield (now := replace(now, title=lesson.title))
        if stop() or now.size + largest > kept.budget_bytes:
            yield replace(now, title="", ended="stopped" if stop() else "full")
            return
        text = lesson_text(lesson.text)
        if not fits("", text, engine.context_tokens, MOST_TOKENS):
            now = replace(now, long=now.long + 1)
            continue
        if len(engine.tokens_of(text)) < LEAST_TOKENS:
            now = replace(now, there=now.there + 1)
            continue
        made = engine.prepare(about_lesson("?", text, (), lesson.lang), stop)
        if made is None:
            if not stop():
                raise ModelError("prepare-disk", path=kept.folder)
            yield replace(now, title="", ended="stopped")
            return
        size = made.stat().st_size
        largest = max(largest, size)
        counted = replace(now, there=now.there + 1) if made in known else replace(now, new=now.new + 1)
        now = replace(counted, size=now.size + size)
    yield replace(now, title="", ended="done")


def in_order(rows: Sequence[LessonRow], lately: Sequence[str]) -> list[str]:
    """Return the lessons in the order in which tomorrow wants them.

    First those that somebody worked with lately, each with the one that comes after it in its grade and subject; then
    the rest as they stand.
    """
    following = {
        one.id: other.id for one, other in pairwise(rows) if (one.grade, one.subject) == (other.grade, other.subject)
    }
    here = [row.id for row in rows]
    wished = [name for lesson in lately for name in (lesson, following.get(lesson, ""))]
    return list(dict.fromkeys([*(name for name in wished if name in here), *here]))


def tomorrow(library: Library, settings: Settings) -> list[str]:
    """Return the lessons in the language in use, or all where it has none, in the order in which they will be wanted."""
    rows = library.lessons(settings.spoken_lang) or library.lessons()
    return in_order(rows, worked_with(settings.store_path))


def worked_with(path: Path) -> list[str]:
    """Return the lessons that people here asked about or practised, the latest first; raises StoreError."""
    if not path.exists():
        return []
    with Store.open(path) as store:
        people = ["", *(learner.id for learner in store.learners())]
        found = [(turn.at, turn.lesson) for who in people for turn in store.turns(who, TURNS_LOOKED_AT)]
        found += [(attempt.at, attempt.lesson) for attempt in store.attempts()]
    return list(dict.fromkeys(lesson for _, lesson in sorted(found, reverse=True) if lesson))
