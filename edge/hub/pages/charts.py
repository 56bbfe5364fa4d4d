"""Bars as numbers: where each begins and how long it is. The templates draw them.

Pure. A bar is only ever beside its number, so nobody needs to see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.hub.reports.table import Cell

HEIGHT, WIDTH, GAP = 90, 36, 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One upright bar with what stands below and above it."""

    x: int
    y: int
    height: int
    label: str
    value: int


def upright(labels: Sequence[str], values: Sequence[int]) -> list[Bar]:
    """Return a bar for each value, the highest as high as there is room."""
    most = max(values, default=0)
    bars = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        height = round(HEIGHT * value / most) if most else 0
        bars.append(Bar(place * (WIDTH + GAP), HEIGHT - height, height, label, value))
    return bars


def length(value: Cell, most: int) -> int:
    """Return how long a bar is, in hundredths of the longest; what is something shows as something."""
    if not isinstance(value, int) or value <= 0 or most <= 0:
        return 0
    return max(1, round(100 * value / most))


def most_of(values: Sequence[Cell]) -> int:
    """Return the largest number among the cells of a column."""
    return max((value for value in values if isinstance(value, int)), default=0)
