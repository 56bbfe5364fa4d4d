"""Sets of numbers as spans: first and last of each run.

Pure. Spans are sorted, apart and inclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def united(spans: Iterable[Span]) -> list[Span]:
    """Return spans that hold the same numbers, sorted, neither touching nor overlapping."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(spans: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of `spans` when `taken` is taken out."""
    left = united(spans)
    for first, last in taken:
        cut: list[Span] = []
        for low, high in left:
            if last < low or high < first:
                cut.append((low, high))
                continue
            if low < first:
                cut.append((low, first - 1))
            if last < high:
                cut.append((last + 1, high))
        left = cut
    return left


def spans_of(numbers: Iterable[int]) -> list[Span]:
    """Return the spans of numbers that only grow."""
    found: list[Span] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
