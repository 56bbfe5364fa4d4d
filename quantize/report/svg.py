"""Small drawings as inline SVG: bars, dots before and after, a scatter with its frontier, a map of cells. Pure.

Drawn 440 units wide, so that letters stay readable on a phone. Colours are classes of
the page's style sheet: they follow light, dark and paper. Each drawing says in words
what it shows; the numbers stand in the table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 440.0
LABEL, VALUE = 128.0, 84.0
"""Room for words at the left and for numbers at the right of bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its interval."""

    label: str
    value: float
    low: float
    high: float
    shown: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A share before and after, from 0 to 1, and the interval of the second."""

    label: str
    before: float
    now: float
    low: float
    high: float
    shown: str


@dataclass(frozen=True, slots=True)
class Point:
    """A file: how large it is and how far from its parent."""

    label: str
    x: float
    y: float
    low: float
    high: float
    mine: bool


def bars(rows: Sequence[Bar], says: str) -> str:
    """Draw horizontal bars from 0, each with its interval."""
    most = max((max(row.high, row.value) for row in rows), default=0.0) or 1.0
    scale = (WIDTH - LABEL - VALUE) / most
    parts = []
    for number, row in enumerate(rows):
        y = 8 + 30 * number
        end, middle = LABEL + row.value * scale, y + 10
        parts += [
            _text(0, y + 14, row.label),
            f'<rect class="bar" x="{LABEL}" y="{y}" width="{max(1.0, row.value * scale):.1f}" height="20" rx="2"/>',
            _whisker(LABEL + row.low * scale, LABEL + row.high * scale, middle),
            _text(max(end, LABEL + row.high * scale) + 8, y + 14, row.shown, "number"),
        ]
    return _svg(30 * len(rows) + 16, parts, says)


def pairs(rows: Sequence[Pair], says: str) -> str:
    """Draw what was (ring) and what is (dot) on a line from 0 to 100 %."""
    left, right = 8.0, WIDTH - 8
    span = right - left
    parts = []
    for number, row in enumerate(rows):
        y = 16.0 + 42 * number
        parts += [
            _text(left, y, row.label),
            _text(right, y, row.shown, "number", "end"),
            f'<line class="grid" x1="{left}" y1="{y + 14}" x2="{right}" y2="{y + 14}"/>',
            _whisker(left + row.low * span, left + row.high * span, y + 14),
            f'<circle class="ring" cx="{left + row.before * span:.1f}" cy="{y + 14}" r="6.5"/>',
            f'<circle class="dot" cx="{left + row.now * span:.1f}" cy="{y + 14}" r="4.5"/>',
        ]
    bottom = 42.0 * len(rows)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        parts.append(_text(left + share * span, bottom + 12, f"{round(100 * share)} %", "tick", anchor))
    return _svg(bottom + 20, parts, says)


def scatter(
    points: Sequence[Point],
    names: tuple[str, str],
    says: str,
    show: Callable[[float], str],
    curve: Sequence[tuple[float, float]] = (),
) -> str:
    """Draw size against divergence, `names` the axes; broken: the files that no other beats in both; whole: `curve`."""
    left, right, top, bottom = 58.0, WIDTH - 16, 26.0, 244.0
    x_name, y_name = names
    xs = [point.x for point in points] + [x for x, _ in curve]
    heights = [value for point in points for value in (point.low, point.y)] + [y for _, y in curve]
    floor = min((value for value in heights if value > 0), default=1e-4)
    ceiling = max([point.high for point in points] + [y for _, y in curve] + [floor * 1.01])
    low, high = math.floor(math.log10(floor)), math.ceil(math.log10(ceiling))
    pad = (max(xs) - min(xs)) * 0.18 or max(xs) * 0.1 or 1.0
    first, last = max(0.0, min(xs) - pad), max(xs) + pad

    def across(x: float) -> float:
        return left + (x - first) / (last - first) * (right - left)

    def up(y: float) -> float:
        return bottom - (math.log10(max(y, 10.0**low)) - low) / max(1, high - low) * (bottom - top)

    parts = [_text(left, 12, y_name, "tick"), _text(right, bottom + 34, x_name, "tick", "end")]
    for decade in range(low, high + 1):
        y = up(10.0**decade)
        parts.append(f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(_text(left - 6, y + 4, show(10.0**decade), "tick", "end"))
    for tick in nice_ticks(first, last):
        parts.append(_text(across(tick), bottom + 18, show(tick), "tick", "middle"))
    for kind, corners in (("curve", curve), ("front", [(p.x, p.y) for p in frontier(points)])):
        line = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in corners)
        parts.append(f'<polyline class="{kind}" points="{line}"/>')
    for point in points:
        x, y, kind = across(point.x), up(point.y), "dot" if point.mine else "other"
        parts.append(
            f'<line class="whisker" x1="{x:.1f}" y1="{up(point.low):.1f}" x2="{x:.1f}" y2="{up(point.high):.1f}"/>'
        )
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>')
        anchor, shift = ("end", -9) if x > (left + right) / 2 else ("start", 9)
        parts.append(_text(x + shift, y - 7, point.label, "label", anchor))
    return _svg(bottom + 44, parts, says)


def cells(rows: Sequence[str], columns: Sequence[str], bits: dict[tuple[str, str], float], says: str) -> str:
    """Draw a map: one cell for each tensor, the more bits the stronger."""
    side = min(26.0, (WIDTH - LABEL) / max(1, len(columns)))
    height = max(14.0, min(22.0, side))
    every = max(1, math.ceil(24 / side))
    parts = []
    for at, column in enumerate(columns):
        if at % every == 0:
            parts.append(_text(LABEL + (at + 0.5) * side, 12, column, "tick", "middle"))
    for down, row in enumerate(rows):
        y = 20 + down * height
        parts.append(_text(0, y + height * 0.72, row, "tick"))
        for at, column in enumerate(columns):
            if (found := bits.get((row, column))) is not None:
                place = f'x="{LABEL + at * side:.1f}" y="{y:.1f}" width="{max(1.0, side - 1):.1f}" height="{height - 1:.1f}"'
                parts.append(f'<rect class="cell" {place} style="opacity:{strength(found):.2f}"/>')
    return _svg(24 + len(rows) * height, parts, says)


def strength(bits: float) -> float:
    """Return how strongly so many bits are drawn: 1.5 bits faint, 8 bits and more full."""
    return max(0.12, min(1.0, (bits - 1.2) / 6.8))


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other is smaller and nearer than, from small to large."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, p.y)):
        if not best or point.y < best[-1].y:
            best.append(point)
    return best


def nice_ticks(first: float, last: float, most: int = 5) -> list[float]:
    """Return at most `most` round numbers between `first` and `last`."""
    rough = (last - first) / most
    if rough <= 0:
        return [first]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * n for n in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _svg(height: float, parts: Sequence[str], says: str) -> str:
    box = f'viewBox="0 0 {WIDTH:.0f} {height:.0f}"'
    return f'<svg {box} role="img" aria-label="{escape(says, quote=True)}">{"".join(parts)}</svg>'


def _text(x: float, y: float, words: str, kind: str = "label", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _whisker(low: float, high: float, y: float) -> str:
    ends = "".join(f'<line class="whisker" x1="{x:.1f}" y1="{y - 4}" x2="{x:.1f}" y2="{y + 4}"/>' for x in (low, high))
    return f'<line class="whisker" x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}"/>{ends}'
