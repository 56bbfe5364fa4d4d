"""What lessons and items are called: from the packs that ship with Amauta and those in the hub's folder.

A hub in use holds answers to packs it has never seen; of those it shows the id.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from edge.errors import PackError
from edge.learning.exercise import LEVELS, SKILLS, lesson_id, title
from edge.library.folder import EMBEDDED, pack_files, pack_folders, read_pack
from edge.library.pack import SUBJECTS, Item
from edge.words import Words

PACKS = "packs"
"""In the hub's folder: packs of the district that did not ship with Amauta."""

_EXERCISES = {lesson_id(skill, level): (skill, level) for skill in SKILLS for level in range(1, LEVELS + 1)}
_SUBJECTS = ("math", "language", "science", "social", "health")


@dataclass(frozen=True, slots=True)
class LessonFacts:
    """One lesson as a report names it."""

    id: str
    title: str
    skill: str
    """What it trains: an operation, or subject and grade; empty when no pack knows the lesson."""


@dataclass(frozen=True, slots=True)
class _Lesson:
    title: str
    lang: str
    subject: int
    grade: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The lessons and items of every pack at hand."""

    words: Words
    lessons: dict[str, _Lesson]
    items: dict[str, Item]
    broken: tuple[Path, ...] = ()
    """Folders that look like packs and cannot be read."""

    state: Hashable = None
    """Another one when a file of a pack changed."""

    def lesson(self, lesson: str) -> LessonFacts:
        """Return what is known of a lesson."""
        if lesson in _EXERCISES:
            skill, level = _EXERCISES[lesson]
            name = title(skill, self.words.lang)
            return LessonFacts(lesson, f"{name} {level}", name)
        if (known := self.lessons.get(lesson)) is None:
            return LessonFacts(lesson, plain(lesson), "")
        subject = self.words.say(f"reports.subject.{_SUBJECTS[known.subject]}")
        return LessonFacts(lesson, known.title, self.words.say("reports.skill", subject=subject, grade=known.grade))

    def lang_of(self, lesson: str) -> str:
        """Return the language of a lesson's title."""
        return self.lessons[lesson].lang if lesson in self.lessons else self.words.lang


def catalogue(folder: Path, words: Words) -> Catalogue:
    """Return the catalogue of the hub in `folder`; a pack there hides the one of the same name that ships."""
    folders = {found.name: found for found in pack_folders(EMBEDDED, folder / PACKS)}
    state = tuple((path, _changed(path)) for path in sorted(folders.values()))
    return replace(_read(state), words=words)


def plain(text: str) -> str:
    """Return a text from a device so that it can be printed: it may hold anything."""
    return "".join(c if c.isprintable() else " " for c in text)


def _changed(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in pack_files(folder) if path.exists()), default=0)


@lru_cache(maxsize=4)
def _read(state: tuple[tuple[Path, int], ...]) -> Catalogue:
    """Reading fifty lessons takes most of a second: a server does it once, and again when a file changed."""
    lessons: dict[str, _Lesson] = {}
    items: dict[str, Item] = {}
    broken = []
    for folder, _ in state:
        try:
            pack, _ = read_pack(folder)
        except PackError:
            broken.append(folder)
            continue
        for lesson in pack.lessons:
            lessons[lesson.id] = _Lesson(
                lesson.title, lesson.lang, SUBJECTS[lesson.lang].index(lesson.subject), lesson.grade
            )
            items |= {item.id: item for item in lesson.items}
    return Catalogue(Words("", {}), lessons, items, tuple(broken), state)
