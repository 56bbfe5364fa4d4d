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
    """A bank entry that may answer, with what is alike."""

    entry: int
    lesson: str
    question: str
    text: str
    covered: float
    """The part of the question that the bank's question holds."""

    covering: float
    """The part of the bank's question that the question holds."""

    answered: float
    """The part of the question that bank question, answer and lesson's title hold together."""

    kind: float
    """How well the kinds of question agree."""


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
        """Return the bank entries nearest to the question, best first, each once."""
        rows = self._matching(
            "SELECT entry.id, entry.lesson, asked.text, entry.text, asked.terms, entry.terms, lesson.terms "
            "FROM asked_search JOIN asked ON asked.id = asked_search.rowid JOIN entry ON entry.id = asked.entry "
            "JOIN lesson ON lesson.id = entry.lesson "
            "WHERE asked_search MATCH ? ORDER BY bm25(asked_search, 4.0, 1.0, 1.0) LIMIT ?",
            question,
        )
        best: dict[int, Found] = {}
        for entry, lesson, asked, text, terms, answer, about in rows:
            fit = self._fit(question, entry, lesson, asked, text, set(terms.split()), {*answer.split(), *about.split()})
            if entry not in best or closeness(fit) > closeness(best[entry]):
                best[entry] = fit
        return sorted(best.values(), key=closeness, reverse=True)

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

    def _fit(
        self, question: Question, entry: int, lesson: str, asked: str, text: str, terms: set[str], around: set[str]
    ) -> Found:
        theirs = self.understand(asked, question.lang)
        return Found(
            entry, lesson, asked, text,
            covered=question.cover(terms),
            covering=theirs.cover(question.forms),
            answered=question.cover(terms | around),
            kind=kinds_agree(question.kind, theirs.kind),
        )  # fmt: skip

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
        total = self._total(lang)
        return QuestionWord(word, term, math.log((total + 1) / (count + 0.5)), known=bool(count))

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
                "SELECT doc FROM passage_words WHERE term = ? UNION ALL SELECT doc FROM asked_words WHERE term = ?",
                (form, form),
            )
            self._counts[form] = sum(row[0] for row in rows)
        return self._counts[form]

    def _total(self, lang: str) -> int:
        key = f"\0{lang}"
        if key not in self._counts:
            rows = self._database.execute(
                "SELECT (SELECT count(*) FROM passage WHERE lang = ?) + (SELECT count(*) FROM asked JOIN entry "
                "ON entry.id = asked.entry WHERE entry.lang = ?)",
                (lang, lang),
            )
            self._counts[key] = int(rows.fetchone()[0])
        return self._counts[key]


def closeness(found: Found) -> float:
    """Order bank entries: alike in both directions, the same kind of question, and answering the rest."""
    both = found.covered + found.covering
    alike = 2 * found.covered * found.covering / both if both else 0.0
    return alike + 0.15 * found.kind + 0.3 * found.answered
