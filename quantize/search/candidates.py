"""What the search finds for each pupil's question, as groups to fit judgements on.

The candidates come from the library and the reader that ship, so a judgement sees in
training what it will see on a device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from edge.library.judge import Judge
from edge.library.library import Library
from edge.library.meaning import Meaning
from edge.library.pack import BankEntry, Lesson, Pack
from edge.library.terms import content_terms
from edge.tutor.decide import PASSAGES_READ, read_features
from edge.tutor.reader import Reader
from quantize.search.fit import Group
from quantize.search.settings import PupilQuestion

SAME_LESSON = 0.35
"""How right another entry of the right lesson counts: near, but not the answer."""

TEXT_ONLY = 0.7
"""How right a passage of the right lesson counts when no bank answer says which one it is."""

_LEAF = np.zeros((1, 1), np.float32)
UNDECIDED = Judge(np.full((1, 1), -1, np.int16), _LEAF, _LEAF.astype(np.int16), _LEAF.astype(np.int16), _LEAF, 0.5, 0.5)


def library_of(packs: Sequence[Pack], meaning: Meaning, **judges: Judge) -> Library:
    """Return a library in memory; judgements that are not given find everything equally likely."""
    named = {name: judges.get(name, UNDECIDED) for name in ("bank", "passage", "read")}
    return Library.in_memory([(pack, []) for pack in packs], meaning, named)


def without(packs: Sequence[Pack], texts: frozenset[str]) -> list[Pack]:
    """Return the packs without these questions of pupils."""

    def kept(entry: BankEntry) -> BankEntry:
        return replace(entry, heard=tuple(way for way in entry.heard if way not in texts))

    def lesson(found: Lesson) -> Lesson:
        return replace(found, bank=tuple(kept(entry) for entry in found.bank))

    def known(pack: Pack) -> Pack:
        unheld = tuple(question for question in pack.unheld if question not in texts)
        return replace(pack, lessons=tuple(lesson(x) for x in pack.lessons), unheld=unheld)

    return [known(pack) for pack in packs]


def bank_groups(library: Library, questions: Sequence[PupilQuestion], packs: Sequence[Pack]) -> Iterator[Group]:
    """Yield the bank entries that are proposed for each question."""
    answers = {(x.id, e.question): e.text for pack in packs for x in pack.lessons for e in x.bank}
    for asked in questions:
        found = library.bank(library.understand(asked.text, asked.lang))
        answer = answers.get((asked.lesson, asked.entry))
        right = [1.0 if f.text == answer else SAME_LESSON * (f.lesson == asked.lesson) for f in found]
        good = [f.lesson == asked.lesson for f in found]
        yield _group(asked, [f.features for f in found], right, good)


def passage_groups(library: Library, questions: Sequence[PupilQuestion], packs: Sequence[Pack]) -> Iterator[Group]:
    """Yield the passages that are proposed for each question."""
    rightness = Rightness(packs)
    for asked in questions:
        found = library.passages(library.understand(asked.text, asked.lang), most=100)
        right = [rightness.of(asked, p.lesson, p.text) for p in found]
        yield _group(asked, [p.features for p in found], right, [p.lesson == asked.lesson for p in found])


def read_groups(
    library: Library, reader: Reader, questions: Sequence[PupilQuestion], packs: Sequence[Pack]
) -> Iterator[Group]:
    """Yield the sentences that the reader proposes from the likeliest passages."""
    rightness = Rightness(packs)
    for asked in questions:
        found = library.passages(library.understand(asked.text, asked.lang), PASSAGES_READ)
        readings = reader.read(asked.text, [p.text for p in found], asked.lang) if found else []
        passages = [found[r.passage] for r in readings]
        features = [read_features(p, r.confidence) for p, r in zip(passages, readings, strict=True)]
        right = [
            (rightness.of(asked, p.lesson, r.sentence) + rightness.of(asked, p.lesson, p.text)) / 2
            for p, r in zip(passages, readings, strict=True)
        ]
        yield _group(asked, features, right, [p.lesson == asked.lesson for p in passages])


class Rightness:
    """Tells how right a text of a lesson is as the answer to a question."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._answers = {(x.id, e.question): (e.text, x.lang) for pack in packs for x in pack.lessons for e in x.bank}

    def of(self, asked: PupilQuestion, lesson: str, text: str) -> float:
        """Return 0 to 1: by the words that the text shares with the reviewed answer, where there is one."""
        if not asked.lesson or lesson != asked.lesson:
            return 0.0
        answer = self._answers.get((asked.lesson, asked.entry))
        if answer is None:
            return TEXT_ONLY
        theirs = frozenset(form for term in content_terms(text, answer[1]) for form in term)
        terms = content_terms(*answer)
        shared = sum(1 for term in terms if term & theirs) / max(1, min(len(terms), len(theirs)))
        return min(1.0, SAME_LESSON + shared)


def _group(
    asked: PupilQuestion, features: Sequence[Sequence[float]], right: Sequence[float], good: Sequence[bool]
) -> Group:
    return Group(
        asked.text,
        bool(asked.lesson),
        np.array(features, dtype=np.float32),
        np.array(right, dtype=np.float32),
        np.array(good, dtype=bool),
    )
