"""Does a text give an answer away? Pure and strict: a word or number that only the answer says is enough.

What the exercise itself says is no secret; where it says all of the answer (which of the two is larger?), every word of
the answer is one again. Whether a text hints at the answer in other words, nothing here can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from edge.learning.number import read_number
from edge.library.terms import WORD, Term, content_terms, content_words, fold
from edge.speech.numerals import MOST, number_words

FIGURE = re.compile(r"\d+(?:[ .,]\d{3})*(?:[.,]\d+)?(?:\s*/\s*\d+)?")


def reveals(text: str, answer: str, known: str, lang: str) -> bool:
    """Tell whether a text holds a word or number of the answer that is not known already."""
    return _says_a_word(text, answer, known, lang) or _says_a_number(text, answer, known, lang)


def _says_a_word(text: str, answer: str, known: str, lang: str) -> bool:
    """Compare words by their stems, so that no other form of one tells it, and letter by letter, where an accent is asked."""
    terms = content_terms(answer, lang)
    secret = [term for term in terms if not _among(term, known, lang)] or terms
    if any(_among(term, text, lang) for term in secret):
        return True
    words = content_words(answer, lang) or WORD.findall(answer)
    return bool((_written(words) - _written(WORD.findall(known))) & _written(WORD.findall(text))) or (
        not terms and bool(set(map(fold, words)) & set(map(fold, WORD.findall(text))))
    )


def _says_a_number(text: str, answer: str, known: str, lang: str) -> bool:
    """Compare numbers by their value, written in figures or in words."""
    theirs, said, open_already = _values(answer), _values(text), _values(known)
    secret = (theirs - open_already) or theirs
    if secret & said or _spelled(secret, text, lang):
        return True
    return _spelled(said - open_already, answer, lang)


def _among(term: Term, text: str, lang: str) -> bool:
    return any(term & other for other in content_terms(text, lang))


def _written(words: Iterable[str]) -> set[str]:
    return {word.casefold() for word in words}


def _values(text: str) -> set[Fraction]:
    found = (read_number(figure) for figure in FIGURE.findall(text))
    return {value for number in found if number is not None for value in number.values}


def _spelled(values: set[Fraction], text: str, lang: str) -> bool:
    """Tell whether one of these numbers stands in a text in words; `una` is an article far more often than a number."""
    words = f" {' '.join(map(fold, WORD.findall(text)))} "
    whole = (int(value) for value in values if value.denominator == 1 and 0 <= value <= MOST)
    forms = (form for n in whole for form in (number_words(n, lang), *([number_words(n, lang, "f")] if n > 1 else [])))
    return any(f" {fold(form)} " in words for form in forms)
