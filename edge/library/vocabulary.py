"""The words of one library: how rare each is, and which one a misspelt word was meant to be."""

from __future__ import annotations

import math
import sqlite3

from edge.library.question import Question, QuestionWord, kind_of
from edge.library.spelling import may_be_misspelt, nearest, sound_of
from edge.library.terms import Term, content_words, fold, term_of

MOST_WORDS = 32
"""A longer question is cut: its first words say what it is about."""

LEAST_WEIGHT = 0.05


class Vocabulary:
    """Counts words in one index."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._counts: dict[str, int] = {}
        self._totals: dict[str, int] = {}

    def understand(self, text: str, lang: str) -> Question:
        """Weigh the words of a question; a misspelt one becomes the word it was meant to be."""
        words = list(dict.fromkeys(content_words(text, lang)))[:MOST_WORDS]
        return Question(text, lang, kind_of(text, lang), tuple(self._weigh(word, lang) for word in words))

    def _weigh(self, word: str, lang: str) -> QuestionWord:
        term = term_of(word, lang)
        count = self._count(term)
        if not count and (better := self._meant(word, lang)):
            term = term_of(better, lang)
            count = self._count(term)
        weight = max(LEAST_WEIGHT, math.log((self._total(lang) + 1) / (count + 0.5)))
        return QuestionWord(word, term, weight, known=bool(count))

    def _meant(self, word: str, lang: str) -> str | None:
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

    def _count(self, term: Term) -> int:
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
        if lang not in self._totals:
            rows = self._database.execute(
                "SELECT (SELECT count(*) FROM passage WHERE lang = ?1) + (SELECT count(*) FROM entry WHERE lang = ?1)",
                (lang,),
            )
            self._totals[lang] = int(rows.fetchone()[0])
        return self._totals[lang]
