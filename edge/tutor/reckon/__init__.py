"""Questions that rules answer exactly: sums, fractions, units, shapes, kinds of numbers, Roman numerals.

The model comes last: what can be computed is computed, never guessed. Pure; None means that the question
is not understood whole, and then nothing is answered here.
"""

from __future__ import annotations

from edge.tutor.reckon import divisors, fractions, percents, places, powers, roman, shapes, sums, units
from edge.tutor.reckon.reckoned import Reckoned
from edge.tutor.reckon.wording import said

__all__ = ["Reckoned", "reckon", "say_the_same"]

READERS = (
    fractions.read,
    units.read,
    shapes.read,
    divisors.read,
    powers.read,
    percents.read,
    roman.read,
    places.read,
)
"""Each reads what a question says, and returns a result in a language or None."""


def reckon(question: str, lang: str) -> Reckoned | None:
    """Return what rules answer to a question, or None."""
    if not (asked := said(question)):
        return None
    for read in READERS:
        if (found := read(asked, lang)) is not None:
            return found
    return sums.read(question, lang)


def say_the_same(one: str, other: str) -> bool:
    """Tell whether two questions differ in accents, signs and courtesies only."""
    return said(one) == said(other)
