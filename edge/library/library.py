"""Everything that may be taught on this device: its packs, their lessons, and finding things in them.

Opening uses an index that is there, the one that came with the app or its own, and takes milliseconds; a changed
pack makes it anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edge.device import refuse_unfit_processor
from edge.errors import PackError
from edge.library import index, shipped
from edge.library.folder import CLINIC, EMBEDDED, pack_folders, read_head, read_lesson, read_pack
from edge.library.judge import Judge
from edge.library.meaning import Meaning
from edge.library.outlook import Outlook
from edge.library.pack import Complaint, Lesson, Pack
from edge.library.question import Question
from edge.library.search import Found, Passage, Search
from edge.settings import Settings

MANY = 100
"""More passages than the search ever proposes."""


@dataclass(frozen=True, slots=True)
class LessonRow:
    """A lesson as a list shows it."""

    pack: str
    id: str
    title: str
    lang: str
    grade: int
    subject: str
    minutes: int
    item_count: int


@dataclass(frozen=True, slots=True)
class PackRow:
    """A pack as a list shows it."""

    id: str
    title: str
    lang: str
    version: int
    folder: Path
    complaints: int


class Library:
    """The packs of a device. One thread at a time looks into the index; the others wait."""

    def __init__(self, database: sqlite3.Connection, folders: Iterable[Path], search: Search) -> None:
        self._database = database
        self._folders = {folder.name: folder for folder in folders}
        self._search = search
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings, embedded: Path = EMBEDDED) -> Library:
        """Open the library of this device, making its index first if a pack has changed."""
        return cls.of_folders(folders_of(settings, embedded), settings.index_folder, shipped.FOLDER)

    @classmethod
    def of_folders(cls, folders: list[Path], index_folder: Path, came_along: Path | None = None) -> Library:
        """Open a library of these packs, with the index that came along while it fits; where the disk is full or read-only the index stays in memory.

        Raises ModelError on a processor that numpy would crash on.
        """
        refuse_unfit_processor()
        meaning = Meaning()
        name = f"{index.fingerprint(folders, meaning)}{index.SUFFIX}"
        path = (came_along and shipped.find(name, came_along)) or index_folder / name
        if not _is_index(path):
            path = index_folder / name
            try:
                index.build(folders, path, meaning)
                _forget_others(path)
            except (OSError, sqlite3.Error):
                return cls.in_memory([read_pack(folder) for folder in folders], meaning)
        database = _connect(path)
        return cls(database, folders, Search(database, meaning))

    @classmethod
    def in_memory(
        cls,
        packs: Iterable[tuple[Pack, list[Complaint]]],
        meaning: Meaning | None = None,
        judges: dict[str, Judge] | None = None,
    ) -> Library:
        """Open a library whose index is not kept anywhere."""
        kept, meaning = list(packs), meaning or Meaning()
        database = sqlite3.connect(":memory:", check_same_thread=False)
        index.fill(database, kept, meaning)
        return cls(database, [pack.folder for pack, _ in kept], Search(database, meaning, judges))

    def packs(self) -> list[PackRow]:
        """Return every pack."""
        rows = self._rows("SELECT id, title, lang, version, folder, complaints FROM pack ORDER BY id")
        return [PackRow(i, title, lang, v, self._folders[folder], n) for i, title, lang, v, folder, n in rows]

    def lessons(self, lang: str | None = None) -> list[LessonRow]:
        """Return every lesson, or those in one language, by grade and subject."""
        rows = self._rows(
            "SELECT pack, id, title, lang, grade, subject, minutes, items FROM lesson "
            "WHERE ?1 IS NULL OR lang = ?1 ORDER BY grade, subject, id",
            (lang,),
        )
        return [LessonRow(*row) for row in rows]

    def lesson(self, lesson_id: str) -> Lesson:
        """Return one lesson whole; raise PackError when there is none of that name, or it is broken."""
        folder = self._folders.get(lesson_id.partition("/")[0])
        if folder is None or not self._rows("SELECT 1 FROM lesson WHERE id = ?", (lesson_id,)):
            raise PackError("lesson-unknown", lesson=lesson_id)
        return read_lesson(read_head(folder, []), lesson_id)

    def title(self, lesson_id: str) -> str:
        """Return the title of a lesson that is there."""
        return str(self._rows("SELECT title FROM lesson WHERE id = ?", (lesson_id,))[0][0])

    def beginning(self, lesson_id: str) -> str:
        """Return the first passage of a lesson that is there."""
        rows = self._rows("SELECT text FROM passage WHERE lesson = ? ORDER BY id LIMIT 1", (lesson_id,))
        return str(rows[0][0]) if rows else ""

    def understand(self, text: str, lang: str) -> Question:
        """Weigh the words of a question."""
        with self._lock:
            return self._search.vocabulary.understand(text, lang)

    def bank(self, question: Question) -> list[Found]:
        """Return the bank entries nearest to the question, best first."""
        with self._lock:
            return self._search.bank(question)

    def passages(
        self, question: Question, most: int = 6, lesson: str | None = None, packs: frozenset[str] = frozenset()
    ) -> list[Passage]:
        """Return the passages that fit the question, best first; only of `packs` where some are named."""
        with self._lock:
            found = self._search.passages(question, MANY if packs else most, lesson)
        return [passage for passage in found if not packs or passage.pack in packs][:most]

    def is_strict(self, lang: str, lesson: str | None = None) -> bool:
        """Tell whether a guideline that may only be quoted is asked: this lesson's, or any in this language."""
        pack = lesson and lesson.partition("/")[0]
        return bool(self._rows("SELECT 1 FROM pack WHERE strict AND lang = ?1 AND id = ifnull(?2, id)", (lang, pack)))

    def asked_first(self, lang: str) -> frozenset[str]:
        """Return the packs in this language that come before the school's: guidelines, and what patients are taught."""
        return frozenset(pack.id for pack in self._asked_first if pack.lang == lang)

    def outlook(self, question: Question) -> Outlook | None:
        """Return how the question stands among known ones; None where a pack names none that it does not hold."""
        with self._lock:
            return self._search.outlook(question)

    def first_by_words(self, question: Question) -> str:
        """Return the lesson of the first passage by bm25 alone, or nothing; for comparison."""
        with self._lock:
            return self._search.first_by_words(question)

    def judge(self, name: str) -> Judge:
        """Return one of the judgements of what was found."""
        return self._search.judge(name)

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            self._database.close()

    @cached_property
    def _asked_first(self) -> tuple[Pack, ...]:
        heads = (read_head(folder, []) for folder in self._folders.values())
        return tuple(head for head in heads if head.is_asked_first)

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._database.execute(query, values).fetchall()


def folders_of(settings: Settings, embedded: Path = EMBEDDED) -> list[Path]:
    """Return the pack folders of a device; an added pack hides the embedded one of the same name.

    What ships for clinics is there only in a clinic.
    """
    shipped_here = (embedded, CLINIC) if settings.place == "clinic" else (embedded,)
    by_name = {folder.name: folder for folder in pack_folders(*shipped_here, *reversed(settings.folders("packs")))}
    return sorted(by_name.values())


def _connect(path: Path) -> sqlite3.Connection:
    # Nobody writes to a finished index: no lock is needed, which a read-only stick could not give.
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def _is_index(path: Path) -> bool:
    """Tell whether `path` is a readable index; a damaged one is made anew."""
    if not path.is_file():
        return False
    try:
        database = _connect(path)
        try:
            return bool(database.execute("SELECT count(*) FROM lesson").fetchone()[0])
        finally:
            database.close()
    except sqlite3.Error:
        return False


def _forget_others(path: Path) -> None:
    """Remove the indexes of former states of the packs."""
    for old in path.parent.glob(f"*{index.SUFFIX}"):
        if old != path:
            old.unlink(missing_ok=True)
