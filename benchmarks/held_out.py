"""Questions whose answer was taken out of the library, to fit and judge decisions on.

From the packs themselves: a paraphrase is asked of a library that never saw it, and a whole
lesson's questions of a library without that lesson. The questions of tests/data are not used.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge.library.folder import EMBEDDED, pack_folders, read_pack
from edge.library.library import Library
from edge.library.pack import BankEntry, Lesson, Pack

FOLDS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """One held-out question."""

    text: str
    lang: str
    lesson: str
    entry: BankEntry


@dataclass(frozen=True, slots=True)
class Fold:
    """A library, and the questions it was not given."""

    library: Library
    asked: tuple[Asked, ...]


def packs() -> list[Pack]:
    """Return the embedded packs."""
    return [read_pack(folder)[0] for folder in pack_folders(EMBEDDED)]


def fold_of(text: str) -> int:
    """Return the fold of a text, the same on every machine."""
    return zlib.crc32(text.encode()) % FOLDS


def without_variants() -> Iterator[Fold]:
    """Yield libraries that miss a quarter of the ways to ask; the entry itself stays."""
    for fold in range(FOLDS):
        asked: list[Asked] = []
        yield Fold(_library([_cut(pack, fold, asked) for pack in packs()]), tuple(asked))


def without_lessons() -> Iterator[Fold]:
    """Yield libraries that miss a quarter of the lessons, asked what only those lessons answer."""
    for fold in range(FOLDS):
        kept, asked = [], []
        for pack in packs():
            kept.append(replace(pack, lessons=tuple(x for x in pack.lessons if fold_of(x.id) != fold)))
            for lesson in pack.lessons:
                if fold_of(lesson.id) == fold:
                    asked += [Asked(e.question, lesson.lang, lesson.id, e) for e in lesson.bank]
        yield Fold(_library(kept), tuple(asked))


def without_entries() -> Iterator[Fold]:
    """Yield libraries that miss a quarter of the bank entries; the lessons' texts stay."""
    for fold in range(FOLDS):
        asked: list[Asked] = []
        kept = []
        for pack in packs():
            lessons = []
            for lesson in pack.lessons:
                gone = [entry for entry in lesson.bank if fold_of(entry.question) == fold]
                asked += [Asked(e.question, lesson.lang, lesson.id, e) for e in gone]
                lessons.append(replace(lesson, bank=tuple(e for e in lesson.bank if e not in gone)))
            kept.append(replace(pack, lessons=tuple(lessons)))
        yield Fold(_library(kept), tuple(asked))


def _cut(pack: Pack, fold: int, asked: list[Asked]) -> Pack:
    return replace(pack, lessons=tuple(_cut_lesson(lesson, fold, asked) for lesson in pack.lessons))


def _cut_lesson(lesson: Lesson, fold: int, asked: list[Asked]) -> Lesson:
    bank = []
    for entry in lesson.bank:
        gone = [text for text in (entry.question, *entry.variants) if fold_of(text) == fold]
        kept = [text for text in (entry.question, *entry.variants) if fold_of(text) != fold]
        if not kept:
            bank.append(entry)
            continue
        asked += [Asked(text, lesson.lang, lesson.id, entry) for text in gone]
        bank.append(replace(entry, question=kept[0], variants=tuple(kept[1:])))
    return replace(lesson, bank=tuple(bank))


def _library(kept: list[Pack]) -> Library:
    return Library.in_memory([(pack, []) for pack in kept])
