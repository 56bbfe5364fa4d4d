"""Find the bank entries and passages that fit a question, with how well they fit.

SQLite's bm25 proposes, the overlap of weighed words disposes. Nothing here decides
whether a fit is good enough: that is the turn's matter.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from edge.library.question import Question, QuestionWord, kind_of, kinds_agree
from edge.library.spelling import may_be_misspelt, nearest, sound_of
from edge.library.terms import content_words, fold, term_of

CANDIDATES = 40
MOST_WORDS = 32
"""A longer question is cut: its first words say what it is about."""


@dataclass(frozen=True, slots=True)
class Found:
    """A bank entry that may answer, with what is alike. All parts are of weight, 0 to 1."""

    entry: int
    lesson: str
    question: str
    """The nearest of the ways to ask it."""

    text: str
    covered: float
    """The part of the question that this way to ask holds."""

    covering: float
    """The part of this way to ask that the question holds."""

    kind: float
    """How well the kinds of question agree."""

    asked: float
    """The part of the question that all ways to ask hold together."""

    answer: float
    """The part of the question that the answer holds."""

    about: float
    """The part of the question that the lesson's title and keywords hold."""

    anywhere: float
    """The part of the question that any of these holds."""

    gap: float
    """The weight of the heaviest word that none of these holds, against the whole question's."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences of a lesson."""

    pack: str
    lesson: str
    title: str
    text: str
    score: float
    """bm25, larger is better."""

    covered: float
    """The part of the question that the passage and its lesson's title hold."""

    inside: float
    """The part of the question that the passage itself holds."""


class Search:
    """Looks into one index."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._counts: dict[str, int] = {}

    def understand(self, text: str, lang: str) -> Question:
        """Weigh the words of a question; a misspelt one becomes the word it was meant to be."""
        words = list(dict.fromkeys(content_words(text, lang)))[:MOST_WORDS]
        return Question(text, lang, kind_of(text, lang), tuple(self._weigh(word, lang) for word in words))

    def bank(self, question: Question) -> list[Found]:
        """Return the bank entries that share words with the question, nearest first."""
        rows = self._matching(
            "SELECT entry.id, entry.lesson, entry.text, entry.terms, lesson.terms FROM entry_search "
            "JOIN entry ON entry.id = entry_search.rowid JOIN lesson ON lesson.id = entry.lesson "
            "WHERE entry_search MATCH ? ORDER BY bm25(entry_search, 3.0, 1.0, 1.0) LIMIT ?",
            question,
        )
        return [self._fit(question, *row) for row in rows]

    def passages(self, question: Question, most: int, lesson: str | None = None) -> list[Passage]:
        """Return the passages that fit the question, best first; only of `lesson` when named."""
        rows = self._matching(
            "SELECT lesson.pack, lesson.id, lesson.title, passage.text, passage.terms, lesson.terms, "
            "bm25(passage_search, 1.0, 0.6) FROM passage_search JOIN passage ON passage.id = passage_search.rowid "
            "JOIN lesson ON lesson.id = passage.lesson WHERE passage_search MATCH ? ORDER BY 7 LIMIT ?",
            question,
        )
        found = [
            Passage(pack, name, title, text, -rank, question.cover({*terms.split(), *about.split()}),
                    question.cover(set(terms.split())))
            for pack, name, title, text, terms, about, rank in rows
            if lesson is None or name == lesson
        ]  # fmt: skip
        return sorted(found, key=lambda p: p.score * (0.3 + p.covered) * (0.3 + p.inside), reverse=True)[:most]

    def _fit(self, question: Question, entry: int, lesson: str, text: str, answer: str, about: str) -> Found:
        ways = self._database.execute("SELECT text, kind, terms FROM asked WHERE entry = ?", (entry,)).fetchall()
        forms = question.forms
        near = [
            (question.cover(set(terms.split())), self._covered(terms, forms), kinds_agree(question.kind, kind), way)
            for way, kind, terms in ways
        ]
        covered, covering, kind, way = max(near, key=lambda n: 2 * n[0] * n[1] / (n[0] + n[1] + 0.01) + 0.1 * n[2])
        asked = {form for _, _, terms in ways for form in terms.split()}
        everything = {*asked, *answer.split(), *about.split()}
        return Found(
            entry, lesson, way, text, covered, covering, kind,
            asked=question.cover(asked),
            answer=question.cover(set(answer.split())),
            about=question.cover(set(about.split())),
            anywhere=question.cover(everything),
            gap=question.gap(everything),
        )  # fmt: skip

    def _covered(self, terms: str, forms: frozenset[str]) -> float:
        """Return the part of some indexed terms' weight that `forms` hold."""
        weights = [(self._weight(self._form_count(form), form[:2]), form in forms) for form in set(terms.split())]
        total = sum(weight for weight, _ in weights)
        return sum(weight for weight, held in weights if held) / total if total else 0.0

    def _matching(self, query: str, question: Question) -> list[tuple]:  # type: ignore[type-arg]
        if not question.forms:
            return []
        words = " OR ".join(f'"{form}"' for form in sorted(question.forms))
        return self._database.execute(query, (words, CANDIDATES)).fetchall()

    def _weigh(self, word: str, lang: str) -> QuestionWord:
        term = term_of(word, lang)
        count = self._count(term)
        if not count and (better := self._spelt(word, lang)):
            term = term_of(better, lang)
            count = self._count(term)
        return QuestionWord(word, term, self._weight(count, lang), known=bool(count))

    def _weight(self, count: int, lang: str) -> float:
        """Return how much a term tells: nothing when it is everywhere, most when it is nowhere."""
        return max(0.05, math.log((self._total(lang) + 1) / (count + 0.5)))

    def _spelt(self, word: str, lang: str) -> str | None:
        """Return the word that was meant: one that sounds the same, else one nearly alike."""
        if not may_be_misspelt(word):
            return None
        same = self._database.execute(
            "SELECT word FROM spelling WHERE lang = ? AND sound = ? LIMIT 1", (lang, sound_of(word))
        ).fetchone()
        if same:
            return str(same[0])
        first = fold(word)[0]
        rows = self._database.execute(
            "SELECT word FROM spelling WHERE lang = ? AND word >= ? AND word < ? AND length(word) BETWEEN ? AND ?",
            (lang, first, chr(ord(first) + 1), len(word) - 2, len(word) + 2),
        )
        return nearest(word, (row[0] for row in rows))

    def _count(self, term: frozenset[str]) -> int:
        return max(self._form_count(form) for form in term)

    def _form_count(self, form: str) -> int:
        if form not in self._counts:
            rows = self._database.execute(
                "SELECT doc FROM passage_words WHERE term = ? UNION ALL SELECT doc FROM entry_words WHERE term = ?",
                (form, form),
            )
            self._counts[form] = sum(row[0] for row in rows)
        return self._counts[form]

    def _total(self, lang: str) -> int:
        key = f"\0{lang}"
        if key not in self._counts:
            rows = self._database.execute(
                "SELECT (SELECT count(*) FROM passage WHERE lang = ?) + (SELECT count(*) FROM entry WHERE lang = ?)",
                (lang, lang),
            )
            self._counts[key] = int(rows.fetchone()[0])
        return self._counts[key]
