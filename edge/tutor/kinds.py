"""What the network is told about each piece besides the piece itself: one number, its *kind*.

A kind is several small facts at once: does the word occur in the question, how far is
the next one that does and on which side, is it a number or a name and was one asked
for, how likely is its sentence by the words alone. Kinds travel as BERT's
`token_type_ids`; while training, the vector of a kind is the sum of the vectors of its
facts (`facts_of`), so that rare combinations are understood too.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.tutor.clues import BEGINNING, Asked
from edge.tutor.features import NUMBER_WORDS, Word, could_answer

NOTHING = 0
WHOLE = 1
"""First kind of the first piece: how much of the question is in the passage (4), how rare what lacks (3)."""

QUESTION = WHOLE + 4 * 3
"""First kind of the question's words."""

MARKER = QUESTION + 6
"""First kind of a sentence's marker: likelihood (6), holds what was asked for (2), share of the question (3)."""

PASSAGE = MARKER + 6 * 2 * 3
"""First kind of the passage's words: nearness (16), looks (12), rank of the sentence (4)."""

NEAR, LOOKS, RANKS = 16, 12, 4
KINDS = PASSAGE + NEAR * LOOKS * RANKS
LIKELY = (0.7, 0.4, 0.2, 0.08, 0.02)
TELLING = 5.0
"""From this weight on, a word tells much about a topic."""


def whole_kind(coverage: float, lacking: float) -> int:
    """Return the kind of the first piece."""
    return WHOLE + 3 * _bin(coverage, (0.9, 0.7, 0.4)) + _bin(lacking, (0.8, 0.4))


def question_kind(asked: Asked, word: Word, present: frozenset[str], best: frozenset[str]) -> int:
    """Return the kind of a word of the question; `best` are the stems of the likeliest sentence."""
    if not word.stem:
        return QUESTION
    if word.stem == asked.focus:
        return QUESTION + 1 + (word.stem in best)
    return QUESTION + (5 if word.stem in best else 4 if word.stem in present else 3)


def marker_kind(likely: float, wanted: bool, coverage: float) -> int:
    """Return the kind of a sentence's marker."""
    return MARKER + 6 * _bin(likely, LIKELY) + 3 * wanted + _bin(coverage, (0.67, 0.34))


def rank_of(likely: float, place: int) -> int:
    """Return the rank of a sentence: surely first, first, second, later."""
    return (0 if likely > 0.5 else 1) if place == 0 else 2 if place == 1 else 3


def word_kinds(asked: Asked, words: Sequence[Word], rank: int) -> list[int]:
    """Return the kinds of the words of one sentence."""
    hits = [n for n, word in enumerate(words) if word.stem and word.stem in asked.stems]
    kinds = []
    for n, word in enumerate(words):
        near = _matching(asked, word) if word.stem else None
        if near is None:
            left = min((n - hit for hit in hits if hit < n), default=99)
            right = min((hit - n for hit in hits if hit > n), default=99)
            near = _between(left, right) if hits else 15
        kinds.append(PASSAGE + (near * LOOKS + _looks(asked, word, n == 0)) * RANKS + rank)
    return kinds


def facts_of(kind: int) -> tuple[int, ...]:
    """Return the facts that a kind is made of, as numbers below `FACTS`; each has a vector while training."""
    if kind < PASSAGE:
        if kind >= MARKER:
            likely, rest = divmod(kind - MARKER, 6)
            return (NEAR + LOOKS + RANKS + PASSAGE + likely, kind)
        return (kind,)
    rest, rank = divmod(kind - PASSAGE, RANKS)
    near, looks = divmod(rest, LOOKS)
    return (PASSAGE + near, PASSAGE + NEAR + looks, PASSAGE + NEAR + LOOKS + rank)


FACTS = PASSAGE + NEAR + LOOKS + RANKS + 6


def _matching(asked: Asked, word: Word) -> int | None:
    if word.folded in asked.forms:
        return 0 if asked.stems[word.stem] >= TELLING else 1
    if word.stem in asked.stems:
        return 2
    return 3 if word.stem[:BEGINNING] in asked.begins and len(word.stem) >= BEGINNING else None


def _between(left: int, right: int) -> int:
    """Return a number from 4 to 14 for how far the nearest words of the question are, and on which side."""
    if max(left, right) <= 5:
        return 4 if max(left, right) <= 2 else 5
    near = min(left, right)
    if near > 8:
        return 14
    return (6 if left < right else 10) + _bin(-near, (-1.5, -2.5, -4.5))


def _looks(asked: Asked, word: Word, first: bool) -> int:
    wanted = could_answer(word, first, asked.wants)
    if word.folded[0].isdigit():
        year = len(word.folded) == 4 and word.folded.isdigit()
        return (5 if year else 3) + (wanted and word.folded not in asked.forms)
    if word.folded in NUMBER_WORDS:
        return 7 + wanted
    if word.capital and word.stem:
        return 11 if first else 9 + wanted
    return 0 if not word.folded[0].isalnum() else 1 if not word.stem else 2


def _bin(value: float, bounds: Sequence[float]) -> int:
    """Return how many of the falling `bounds` the value stays below."""
    return sum(value < bound for bound in bounds)
