"""How answers and confidences are scored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from edge.tutor.features import fold


def auc(above: Sequence[float], below: Sequence[float]) -> float:
    """Return how often a value of `above` is larger than one of `below`; a tie counts half."""
    if not above or not below:
        return 0.0
    order = sorted([(value, 1) for value in above] + [(value, 0) for value in below])
    wins, seen, place = 0.0, 0, 0
    while place < len(order):
        end = place
        while end < len(order) and order[end][0] == order[place][0]:
            end += 1
        ones = sum(mark for _, mark in order[place:end])
        wins += ones * (seen + (end - place - ones) / 2)
        seen += end - place - ones
        place = end
    return round(wins / (len(above) * len(below)), 3)


def calibration_error(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return how far confidence is from what happens, averaged over ten bands (ECE)."""
    values = [(value, 1) for value in right] + [(value, 0) for value in wrong]
    error = 0.0
    for band in range(10):
        inside = [(v, mark) for v, mark in values if band / 10 <= v < (band + 1) / 10 + (band == 9)]
        if inside:
            error += abs(sum(v for v, _ in inside) - sum(mark for _, mark in inside))
    return round(error / (len(values) or 1), 3)


def plain(text: str) -> str:
    """Return a text in small letters without accents, signs and articles."""
    words = re.findall(r"\w+", fold(text))
    return " ".join(word for word in words if word not in ("el", "la", "los", "las", "un", "una", "unos", "unas"))


def f1_of(given: str, wanted: str) -> float:
    """Return the overlap of two answers in words, as SQuAD measures it."""
    left, right = plain(given).split(), plain(wanted).split()
    same = sum((Counter(left) & Counter(right)).values())
    if not same:
        return float(left == right)
    return 2 * same / (len(left) + len(right))
