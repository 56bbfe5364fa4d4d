"""Understand what a child meant: `bolcan`, `selula`, `ezqueleto`.

A word that the library does not hold is looked for by its sound, then by one or two
letters' difference. Pure: the vocabulary is an argument.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from edge.library.stopwords import STOPWORDS
from edge.library.terms import fold

_SOUNDS = (
    (r"h(?=[aeiou])|h$", ""),
    (r"qu(?=[ei])|k|c(?=[aou]|[^eihaou]|$)", "k"),
    (r"ch", "C"),
    (r"[cz](?=[ei])|z|ss|x(?=[aeiou])", "s"),
    (r"g(?=[ei])", "j"),
    (r"gu(?=[ei])", "g"),
    (r"v", "b"),
    (r"ll", "y"),
    (r"lh", "y"),
    (r"nh|ñ|ni(?=[aou])", "n"),
    (r"w|hu(?=[aeio])|gu(?=[ao])", "u"),
    (r"(.)\1", r"\1"),
    (r"m(?=[bp])", "n"),
)
_COMPILED = tuple((re.compile(pattern), sound) for pattern, sound in _SOUNDS)
SHORTEST = 4
"""Shorter words are too easily taken for another."""


def sound_of(word: str) -> str:
    """Return how a word sounds in Latin American Spanish (good enough for Portuguese), as a key."""
    sound = fold(word)
    for pattern, replacement in _COMPILED:
        sound = pattern.sub(replacement, sound)
    return sound


@cache
def small_sounds(lang: str) -> frozenset[str]:
    """Return how the small words of a language sound, those of two letters and more."""
    return frozenset(sound_of(word) for word in STOPWORDS.get(lang, ()) if len(word) > 1)


def may_be_misspelt(word: str) -> bool:
    """Tell whether it makes sense to look for another word; short words and numbers are what they are."""
    return len(word) >= SHORTEST and not any(c.isdigit() for c in word)


def nearest(word: str, vocabulary: Iterable[str]) -> str | None:
    """Return the folded word of `vocabulary` that differs least, by a letter or two at most, or None."""
    folded = fold(word)
    if len(folded) <= SHORTEST:
        return None
    allowed = 1 if len(folded) < 8 else 2
    mine = letters_of(folded)
    alike = (word for word in vocabulary if _may_be_near(mine, letters_of(word), allowed))
    near = [(distance(folded, candidate, allowed), candidate) for candidate in alike]
    away, best = min(near, default=(allowed + 1, ""))
    return best if away <= allowed else None


@lru_cache(maxsize=50_000)
def letters_of(word: str) -> int:
    """Return which letters a word has, one bit each."""
    return functools.reduce(lambda bits, letter: bits | 1 << ord(letter) % 64, word, 0)


def _may_be_near(one: int, two: int, most: int) -> bool:
    """Tell whether words of these letters can be so near: a change takes away or brings one kind of letter at most."""
    return (one & ~two).bit_count() <= most and (two & ~one).bit_count() <= most


def distance(one: str, two: str, most: int) -> int:
    """Return how many letters to add, drop, change or swap (restricted Damerau-Levenshtein), or most + 1."""
    if abs(len(one) - len(two)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(two, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if before and i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, row = row, current
    return row[-1]
