"""Sums with fractions, worked out as in a school: over a common denominator, the result as fraction, mixed number and decimal."""

from __future__ import annotations

import re
from fractions import Fraction
from math import lcm

from edge.library.arithmetic import compute
from edge.tutor.reckon.sums import as_written, with_signs
from edge.tutor.reckon.wording import FRACTION, decimal, is_large, is_short, number

SHORT = 4
"""Decimals; a longer decimal form of a fraction helps nobody."""

_TYPED = re.compile(rf"(?<![\d/.,])(?:{FRACTION})(?![\d/.,])")
_HELD = re.compile(r"\(\(\d+(?:/\d+)?\)\)")
"""A fraction in twofold brackets, as no pupil types it."""

_TWO = re.compile(r"(\(\([\d/]+\)\)|\d+) ?([-+*/]) ?(\(\([\d/]+\)\)|\d+)")
_HOLE = "\ue000"


def fraction_sum(said: str, lang: str) -> str:
    """Work out a sum of fractions; one that stands alone, `6/2`, is a division and no concern of this module."""
    typed = _TYPED.findall(said)
    values = [number(text) for text in typed]
    if not typed or None in values or (said == typed[0] and " " not in said):
        return ""
    held = iter(values)
    written = with_signs(_TYPED.sub(lambda _: f"(({next(held)}))", said))
    if written is None or len(_HELD.findall(written)) != len(typed):
        return ""
    try:
        value = compute(written)
    except ValueError:
        return ""
    if is_large(value):
        return ""
    texts = iter(re.sub(r" (?:y|e|and) ", " ", text) for text in typed)
    start = re.sub(_HOLE, lambda _: next(texts), as_written(_HELD.sub(_HOLE, written), comma=lang != "en"))
    return " = ".join(dict.fromkeys([start, *_working(typed, written), *forms(value, lang)]))


def forms(value: Fraction, lang: str) -> list[str]:
    """Return a value as a fraction, as a mixed number and as a short decimal, where it has these forms."""
    texts = [str(value)]
    if value.denominator == 1:
        return texts
    if abs(value) > 1:
        units, rest = divmod(abs(value), 1)
        texts.append(f"{'-' if value < 0 else ''}{units} {rest}")
    return [*texts, decimal(value, lang, SHORT)] if is_short(value, SHORT) else texts


def _working(typed: list[str], written: str) -> list[str]:
    """Return the steps between one operation with two operands and its result."""
    if not (found := _TWO.fullmatch(written)):
        return []
    left = iter(typed)
    (a, b), (c, d) = (_parts(next(left) if found[n].startswith("(") else found[n]) for n in (1, 3))
    first = [f"{a}/{b}", f"{c}/{d}"]
    if found[2] in "+-":
        bottom = lcm(b, d)
        a, c = a * bottom // b, c * bottom // d
        sign, top = found[2], a + c if found[2] == "+" else a - c
        steps = [f"{first[0]} {sign} {first[1]}", f"{a}/{bottom} {sign} {c}/{bottom}", f"{top}/{bottom}"]
        return steps if b > 1 and d > 1 else steps[1:]
    if found[2] == "*":
        steps = [f"{first[0]} × {first[1]}", f"{a * c}/{b * d}"]
    else:
        steps = [f"{first[0]} ÷ {first[1]}", f"{a}/{b} × {d}/{c}", f"{a * d}/{b * c}"]
    return steps if b > 1 and d > 1 else steps[1:]


def _parts(text: str) -> tuple[int, int]:
    """Return numerator and denominator as typed, a mixed number as an improper fraction."""
    *whole, top, bottom = (int(digits) for digits in re.findall(r"\d+", text if "/" in text else f"{text}/1"))
    return sum(whole) * bottom + top, bottom
