"""Which mistake is behind a wrong answer, where that can be known.

Pure. The exercises made on the spot say their sum in their name, so the typical wrong results can be
computed again; an item of a pack keeps its reasons in the pack, which a hub need not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from edge.learning import misconceptions
from edge.learning.number import read_number

_SUM = re.compile(r"exercise/(add|sub|tables|mul|div|fractions)-\d/(\d+(?:/\d+)?)([-+*/])(\d+(?:/\d+)?)")


def mistake(item: str, given: str) -> str:
    """Return the name of the mistake (`exercise.wrong.NAME` in the strings), or nothing."""
    found = _SUM.fullmatch(item)
    number = read_number(given) if found else None
    if found is None or number is None or len(item) > 60:
        return ""
    skill, a, sign, b = found.groups()
    value = number.values[0]
    try:
        return next((name for result, name in _wrong(skill, a, sign, b) if Fraction(result) == value), "")
    except (ValueError, IndexError, ZeroDivisionError):
        # A device may name an item as it likes.
        return ""


def _wrong(skill: str, a: str, sign: str, b: str) -> Iterator[tuple[int | str, str]]:
    if skill == "fractions":
        bottoms = (int(a.split("/")[1]), int(b.split("/")[1]))
        yield from misconceptions.wrong_fractions(Fraction(a), Fraction(b), 1 if sign == "+" else -1, bottoms)
        return
    left, right = int(a), int(b)
    if sign == "+":
        yield from misconceptions.wrong_sums(left, right)
    elif sign == "-":
        yield from misconceptions.wrong_differences(left, right)
    elif sign == "*":
        yield from misconceptions.wrong_products(left, right)
    else:
        yield from misconceptions.wrong_quotients(left, right)
