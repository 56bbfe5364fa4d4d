"""The words of one library: how rare each is, and which one a misspelt word was meant to be."""

from __future__ import annotations

import math
import sqlite3
from functools import lru_cache

from edge.library.question import Question, QuestionWord, kind_of
from edge.library.spelling import may_be_misspelt, nearest, small_sounds, sound_of
from edge.library.terms import Term, content_words, fold, is_stopword, term_of

MOST_WORDS = 32
"""A longer question is cut: its first words say what it is about."""

LEAST_WEIGHT = 0.05
WORDS_KEPT = 8192
"""Words whose meaning stays known, so that the same slip is looked up once."""


class Vocabulary:
    """Counts words in one index."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._counts: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._read = lru_cache(WORDS_KEPT)(self._read_word)

    def understand(self, text: str, lang: str) -> Question:
        """Weigh the words of a question; a misspelt one becomes the word it was meant to be."""
        words = list(dict.fromkeys(content_words(text, lang)))[:MOST_WORDS]
        read = [(word, self._read(word, lang)) for word in words]
        weighed = tuple(self._weigh(word, meant, lang) for word, meant in read if meant)
        return Question(text, lang, kind_of(text, lang), weighed)

    def terms(self, text: str, lang: str) -> list[Term]:
        """Return the terms of what was meant by a text written by ear."""
        return [term_of(meant, lang) for word in content_words(text, lang) if (meant := self._read(word, lang))]

    def _weigh(self, word: str, meant: str, lang: str) -> QuestionWord:
        term = term_of(meant, lang)
        count = self._count(term)
        weight = max(LEAST_WEIGHT, math.log((self._total(lang) + 1) / (count + 0.5)))
        return QuestionWord(word, term, weight, known=bool(count))

    def _read_word(self, word: str, lang: str) -> str:
        """Return the word that was meant: itself, one that sounds the same, one nearly alike.

        Nothing for a small word spelt by ear: `ba`, `ase`, `desir`.
        """
        if is_stopword(word, lang) or self._is_spelt(word, lang):  # a small word that came so far is a thing
            return word
        if sound_of(word) in small_sounds(lang):
            return ""
        if not may_be_misspelt(word):
            return word
        same = self._database.execute(
            "SELECT word FROM spelling WHERE lang = ? AND sound = ? LIMIT 1", (lang, sound_of(word))
        ).fetchone()
        if same:
            return str(same[0])
        if self._count(term_of(word, lang)):
            return word
        first = fold(word)[0]
        rows = self._database.execute(
            "SELECT word FROM spelling WHERE lang = ? AND word >= ? AND word < ? AND length(word) BETWEEN ? AND ?",
            (lang, first, chr(ord(first) + 1), len(word) - 2, len(word) + 2),
        )
        return nearest(word, (row[0] for row in rows)) or word

    def _is_spelt(self, word: str, lang: str) -> bool:
        found = self._database.execute("SELECT 1 FROM spelling WHERE lang = ? AND word = ?", (lang, fold(word)))
        return found.fetchone() is not None

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
