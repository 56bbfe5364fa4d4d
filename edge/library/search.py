"""Find the bank entries and passages that fit a question, with how well they fit.

Words (SQLite's bm25) and meanings (vectors) propose, a judge disposes. Whether a fit is
good enough to be shown is the turn's matter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from edge.library.alike import (
    ENTRY_CENTRE,
    ENTRY_NEAR,
    PASSAGE_CENTRE,
    PASSAGE_NEAR,
    Entry,
    Ranks,
    entry_features,
    passage_features,
    says_the_same,
)
from edge.library.context import Candidates, agreement, question_facts, surroundings
from edge.library.judge import Judge, read_judges
from edge.library.meaning import EMBEDDED, WIDTH, Meaning, Side
from edge.library.outlook import Outlook, outlook
from edge.library.question import Question
from edge.library.terms import WORD, Term, fold, read_terms
from edge.library.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BY_WORDS, BY_MEANING = 20, 15
"""How many candidates each search proposes."""

UNRANKED = 40
SIDES_KEPT = 4096
"""Texts of the index that stay compared-ready in memory, a few kilobytes each."""

ENTRIES_BY_WORDS = (
    "SELECT rowid FROM entry_search WHERE entry_search MATCH ? ORDER BY bm25(entry_search, 3.0, 1.0, 1.0)"
)
PASSAGES_BY_WORDS = (
    "SELECT rowid FROM passage_search WHERE passage_search MATCH ? ORDER BY bm25(passage_search, 1.0, 0.6)"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A bank entry that may answer."""

    lesson: str
    question: str
    """The way to ask it that is most alike."""

    text: str
    features: tuple[float, ...]
    fit: float
    """The judged probability that it answers the question."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences of a lesson that may hold the answer."""

    pack: str
    lesson: str
    title: str
    text: str
    features: tuple[float, ...]
    score: float
    """The judged probability that the answer is here, before the reader has read it."""

    page: str = ""
    section: str = ""
    strict: bool = False
    """Whether it may only be quoted whole."""


@dataclass(frozen=True)
class Asking:
    """A question as the search compares it."""

    question: Question
    side: Side
    rarity: npt.NDArray[np.float32]


class Search:
    """Looks into one index."""

    def __init__(self, database: sqlite3.Connection, meaning: Meaning, judges: dict[str, Judge] | None = None) -> None:
        self._database = database
        self._meaning = meaning
        self._judges = judges
        self.vocabulary = Vocabulary(database)
        self._side = lru_cache(SIDES_KEPT)(self._read_side)
        # One question is asked three times in a turn: of the bank, of the passages, of what is known.
        self._asking = lru_cache(1)(self._ask)
        self._described = lru_cache(1)(self._describe)

    def bank(self, question: Question) -> list[Found]:
        """Return the bank entries near the question, first those that are asked in just these words, then the likeliest."""
        described = self._described(question)
        fits = self.judge("bank").of([features for _, _, _, features in described])
        found = [
            Found(lesson, way, text, tuple(features), fit)
            for (lesson, way, text, features), fit in zip(described, fits, strict=True)
        ]
        asked = _plain(question.text)
        return sorted(
            found, key=lambda f: (_plain(f.question) == asked, says_the_same(f.features), f.fit), reverse=True
        )

    def passages(self, question: Question, most: int, lesson: str | None = None) -> list[Passage]:
        """Return the passages near the question, the likeliest first; only of `lesson` when named."""
        asking = self._asking(question)
        ranks = self._ranks(asking, PASSAGES_BY_WORDS, self._passage_centres)
        if lesson is not None:  # its own passages, among those of the whole library
            ranks |= self._ranks(asking, PASSAGES_BY_WORDS, self._passage_centres, lesson)
        described = [self._passage(asking, number, rank) for number, rank in ranks.items()]
        if not described:
            return []
        mine = _candidates(
            [facts[1] for facts, _ in described], [f for _, f in described], PASSAGE_NEAR, PASSAGE_CENTRE
        )
        bank = self._described(question)
        theirs = _candidates([row[0] for row in bank], [row[3] for row in bank], ENTRY_NEAR, ENTRY_CENTRE)
        around = zip(surroundings(mine).tolist(), agreement(mine, theirs).tolist(), strict=True)
        about = question_facts(question)
        rows = [[*f, *near, *agreed, *about] for (_, f), (near, agreed) in zip(described, around, strict=True)]
        scores = self.judge("passage").of(rows)
        found = [
            Passage(*facts[:4], tuple(features), score, facts[4], facts[5], bool(facts[6]))
            for (facts, _), features, score in zip(described, rows, scores, strict=True)
            if lesson in (None, facts[1])
        ]
        return sorted(found, key=lambda p: p.score, reverse=True)[:most]

    def outlook(self, question: Question) -> Outlook | None:
        """Return how the question stands among those that are answered and those that are known not to be."""
        lang, centre = question.lang, self._asking(question).side.centre
        sides = (centres.matrix[centres.allowed(lang, None)] for centres in (self._entry_centres, self._gap_centres))
        return outlook(centre, *sides)

    def first_by_words(self, question: Question) -> str:
        """Return the lesson of the first passage by bm25 alone, or nothing."""
        found = self._by_words(question, PASSAGES_BY_WORDS)
        row = self._database.execute("SELECT lesson FROM passage WHERE id = ?", found[:1] or (0,)).fetchone()
        return str(row[0]) if row else ""

    def judge(self, name: str) -> Judge:
        """Return one of the judgements."""
        if self._judges is None:
            self._judges = read_judges(EMBEDDED / "judges.npz")
        return self._judges[name]

    def _describe(self, question: Question) -> list[tuple[str, str, str, list[float]]]:
        """Return lesson, nearest way to ask, answer and features of each bank entry that is proposed."""
        asking = self._asking(question)
        ranks = self._ranks(asking, ENTRIES_BY_WORDS, self._entry_centres)
        found, asked = [], _plain(question.text)
        for number, rank in ranks.items():
            lesson, text, entry = self._entry(number, asking.question.lang)
            way, features = entry_features(asking.side, question.kind, asking.rarity, entry, rank)
            way = next((same for same, *_ in entry.ways if _plain(same) == asked), way)
            found.append((lesson, text, way, features))
        if not found:
            return []
        mine = _candidates([row[0] for row in found], [row[3] for row in found], ENTRY_NEAR, ENTRY_CENTRE)
        about = question_facts(question)
        return [
            (lesson, way, text, [*features, *near, *about])
            for (lesson, text, way, features), near in zip(found, surroundings(mine).tolist(), strict=True)
        ]

    def _ask(self, question: Question) -> Asking:
        import numpy as np

        weight: dict[Term, float] = {word.term: word.weight for word in question.words}
        side = self._meaning.side(list(weight), question.lang)
        return Asking(question, side, np.array([weight[term] for term in side.terms], dtype=np.float32))

    def _ranks(self, asking: Asking, query: str, centres: _Centres, lesson: str | None = None) -> dict[int, Ranks]:
        """Return the candidates of both searches, with their places."""
        import numpy as np

        if not asking.side.terms:
            return {}
        numbers, matrix, allowed = centres.numbers, centres.matrix, centres.allowed(asking.question.lang, lesson)
        near = np.where(allowed, matrix @ asking.side.centre, -9.0)
        score: dict[int, float] = {}
        for at in np.argsort(-near)[: BY_MEANING * 6]:
            if near[at] > -9.0 and len(score) < BY_MEANING:
                score.setdefault(int(numbers[at]), float(near[at]))
        ordered = self._by_words(asking.question, query)
        words = [n for n in ordered if centres.holds(n, allowed)][:BY_WORDS]
        place = {number: at for at, number in enumerate(words)}
        top = max(score.values(), default=0.0)
        best = {int(n): float(near[numbers == n].max()) for n in place if n not in score} | score
        return {n: Ranks(1 / (1 + place.get(n, UNRANKED)), top - best[n]) for n in dict.fromkeys([*words, *score])}

    def _by_words(self, question: Question, query: str) -> list[int]:
        if not question.forms:
            return []
        words = " OR ".join(f'"{form}"' for form in sorted(question.forms))
        return [row[0] for row in self._database.execute(f"{query} LIMIT 200", (words,))]

    def _entry(self, number: int, lang: str) -> tuple[str, str, Entry]:
        lesson, text, answer, about = self._database.execute(
            "SELECT entry.lesson, entry.text, entry.terms, lesson.terms FROM entry JOIN lesson ON lesson.id = entry.lesson "
            "WHERE entry.id = ?",
            (number,),
        ).fetchone()
        rows = self._database.execute("SELECT text, kind, terms FROM asked WHERE entry = ?", (number,)).fetchall()
        ways = tuple((way, kind, self._side(terms, lang)) for way, kind, terms in rows)
        asked = " ".join(terms for _, _, terms in rows)
        return lesson, text, Entry(
            ways, self._side(asked, lang), self._side(answer, lang), self._side(about, lang),
            self._side(f"{asked} {answer} {about}", lang),
        )  # fmt: skip

    def _passage(
        self, asking: Asking, number: int, rank: Ranks
    ) -> tuple[tuple[str, str, str, str, str, str, int], list[float]]:
        *facts, terms, about = self._database.execute(
            "SELECT lesson.pack, lesson.id, lesson.title, passage.text, page, section, strict, passage.terms, lesson.terms "
            "FROM passage JOIN lesson ON lesson.id = passage.lesson WHERE passage.id = ?",
            (number,),
        ).fetchone()
        lang = asking.question.lang
        inside, lesson_side, both = (
            self._side(terms, lang),
            self._side(about, lang),
            self._side(f"{terms} {about}", lang),
        )
        features = passage_features(asking.side, asking.rarity, inside, lesson_side, both, rank)
        return tuple(facts), features

    def _read_side(self, terms: str, lang: str) -> Side:
        return self._meaning.side(read_terms(terms), lang)

    @cached_property
    def _entry_centres(self) -> _Centres:
        return _Centres(
            self._database.execute(
                "SELECT asked.entry, entry.lang, entry.lesson, asked.centre FROM asked JOIN entry ON entry.id = asked.entry"
            ).fetchall()
        )

    @cached_property
    def _passage_centres(self) -> _Centres:
        return _Centres(self._database.execute("SELECT id, lang, lesson, centre FROM passage").fetchall())

    @cached_property
    def _gap_centres(self) -> _Centres:
        return _Centres(self._database.execute("SELECT id, lang, '', centre FROM gap").fetchall())


def _candidates(lessons: list[str], features: list[list[float]], near: int, centre: int) -> Candidates:
    import numpy as np

    telling = (np.array([row[place] for row in features], dtype=np.float32) for place in (near, centre))
    return Candidates(lessons, *telling)


class _Centres:
    """Where every way to ask, or every passage, stands; one row each."""

    def __init__(self, rows: Sequence[tuple[int, str, str, bytes]]) -> None:
        import numpy as np

        self.numbers = np.array([row[0] for row in rows], dtype=np.int64)
        self._langs = np.array([row[1] for row in rows])
        names = {name: number for number, name in enumerate(dict.fromkeys(row[2] for row in rows))}
        self._names, self._lessons = names, np.array([names[row[2]] for row in rows], dtype=np.int32)
        self.matrix = np.frombuffer(b"".join(row[3] for row in rows), dtype=np.float32).reshape(-1, WIDTH)

    def allowed(self, lang: str, lesson: str | None) -> npt.NDArray[np.bool_]:
        """Return which rows are in this language, and of this lesson when one is named."""
        fitting: npt.NDArray[np.bool_] = self._langs == lang
        return fitting if lesson is None else fitting & (self._lessons == self._names.get(lesson, -1))

    def holds(self, number: int, allowed: npt.NDArray[np.bool_]) -> bool:
        """Tell whether a candidate is among the allowed rows."""
        return bool((allowed & (self.numbers == number)).any())


def _plain(text: str) -> str:
    """Return the letters of a text, so that two that differ in signs or accents alone are the same."""
    return " ".join(WORD.findall(fold(text)))
