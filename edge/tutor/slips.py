"""Mend one slip of the finger in a word that matters, or two in a long one.

Pure. Words are given and taken as they sound; an ordinary word is never taken for another.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations

from edge.tutor.sounds import sound

LONG = 9
"""A word of so many letters may have two slips, a shorter one a single one."""

SHORTEST = 6


@lru_cache(maxsize=10_000)
def mended(word: str, keys: str, ordinary: str) -> str:
    """Return which of the `keys` was meant, or the word itself."""
    if not SHORTEST - 1 <= len(word) <= 20 or word in _sounds(ordinary):
        return word
    known = _by_form(keys)
    near = {key for form in _forms(word) for key in known.get(form, ())}
    close = [key for key in near if len(key) >= SHORTEST and _apart(word, key) <= (2 if len(key) >= LONG else 1)]
    return min(close, key=lambda key: (_apart(word, key), key), default=word)


@cache
def _sounds(words: str) -> frozenset[str]:
    return frozenset(sound(word) for word in words.split())


@cache
def _by_form(words: str) -> dict[str, tuple[str, ...]]:
    """Return the words under every form that they have with letters left out."""
    found: dict[str, list[str]] = {}
    for word in (sound(word) for word in words.split()):
        for form in _forms(word):
            found.setdefault(form, []).append(word)
    return {form: tuple(words) for form, words in found.items()}


def _forms(word: str) -> set[str]:
    slips = 2 if len(word) >= LONG else 1
    return {
        "".join(letter for at, letter in enumerate(word) if at not in out)
        for count in range(slips + 1)
        for out in combinations(range(len(word)), count)
    }


def _apart(one: str, other: str) -> int:
    """Count the letters to change, add, leave out or swap with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row, older = row, [i], before
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        before = last
    return row[-1]
