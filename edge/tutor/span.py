"""Choose the few words of a sentence that answer best.

The network says how well each word begins and ends an answer. Of the likeliest spans
the one is taken that overlaps most with all of them, weighed by their probability
(minimum Bayes risk); plain facts about each span, such as whether it cuts a name in
two, correct the network's probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge.tutor.clues import RARE, Asked
from edge.tutor.encoding import Line
from edge.tutor.features import Word, could_answer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LONGEST = 16
"""Words."""

KEPT = 24
"""Spans that are weighed against each other."""

FACTS = (
    "network",
    "length",
    "words",
    "asked",
    "begins_small",
    "ends_small",
    "sign_inside",
    "wanted",
    "wanted_none",
    "after_small",
    "after_sign",
    "before_sign",
    "before_small",
    "distance",
    "cuts_name_before",
    "cuts_name_after",
    "capital",
    "number",
    "begins",
    "ends",
    "after_asked",
    "before_asked",
    "rare",
    "focus",
    "after_in",
    "after_of",
    "after_by",
    "place",
    "at_end",
    "article",
    "at_start",
)
"""What is known of each span; the card has one weight for each."""

ARTICLES = frozenset(["el", "la", "los", "las", "un", "una", "o", "os", "as", "um", "uma"])
BORDER = Word(0, 0, ".", "", False)
"""Stands before the first word and after the last."""

Span = tuple[int, int]
"""First and last word of a sentence."""


def likely_spans(begins: Floats, ends: Floats) -> list[tuple[Span, float]]:
    """Return the likeliest spans with the sum of their logarithms, the best first; one number a word comes in."""
    import numpy as np

    scores = _scores(begins, ends)
    order = np.argsort(-scores, axis=None)[:KEPT]
    found = [((int(n) // len(begins), int(n) % len(begins)), float(scores.flat[n])) for n in order]
    return [(span, score) for span, score in found if score > -math.inf]


def best_score(begins: Floats, ends: Floats) -> float:
    """Return the score of the likeliest span."""
    return float(_scores(begins, ends).max())


def _scores(begins: Floats, ends: Floats) -> Floats:
    import numpy as np

    reach = np.arange(len(begins))[None, :] - np.arange(len(begins))[:, None]
    scores: Floats = np.where((reach < 0) | (reach >= LONGEST), -np.inf, begins[:, None] + ends[None, :])
    return scores


def facts_about(asked: Asked, line: Line, span: Span, begins: float, ends: float) -> tuple[float, ...]:
    """Return what FACTS names about one span, given the network's numbers for its first and last word."""
    words = line.words
    first, last = span
    inside = words[first : last + 1]
    left = words[first - 1] if first else BORDER
    right = words[last + 1] if last + 1 < len(words) else BORDER
    telling = [w.stem for w in inside if w.stem]
    wanted = any(
        could_answer(w, first + n == 0, asked.wants) and w.folded not in asked.forms for n, w in enumerate(inside)
    )
    hits = [n for n, w in enumerate(words) if w.stem and w.stem in asked.stems and not first <= n <= last]
    distance = min((first - n if n < first else n - last for n in hits), default=12)
    return (
        begins + ends,
        len(inside) / 4,
        math.log(len(inside)),
        sum(stem in asked.stems for stem in telling) / len(inside),
        float(not inside[0].stem),
        float(not inside[-1].stem),
        float(any(not w.folded[0].isalnum() for w in inside)),
        float(wanted),
        float(bool(asked.wants) and not wanted),
        float(not left.stem and left.folded[0].isalnum()),
        float(not left.folded[0].isalnum()),
        float(not right.folded[0].isalnum()),
        float(not right.stem and right.folded[0].isalnum()),
        min(distance, 12) / 12,
        float(first > 1 and left.capital and inside[0].capital),
        float(right.capital and inside[-1].capital),
        float(inside[0].capital and first > 0),
        float(inside[0].folded[0].isdigit()),
        begins,
        ends,
        float(bool(left.stem) and left.stem in asked.stems),
        float(bool(right.stem) and right.stem in asked.stems),
        sum(asked.weight(stem) for stem in telling) / (RARE * (len(telling) or 1)),
        float(bool(asked.focus) and asked.focus in telling),
        float(left.folded in ("en", "em", "no", "na")),
        float(left.folded in ("de", "del", "da", "do")),
        float(left.folded in ("por", "a", "al", "ao")),
        first / len(words),
        float(last == len(words) - 1),
        float(inside[0].folded in ARTICLES),
        float(first == 0),
    )


def overlap(one: Span, other: Span) -> float:
    """Return how much two spans have in common, as F1 of their words."""
    same = min(one[1], other[1]) - max(one[0], other[0]) + 1
    return 2 * same / (one[1] - one[0] + other[1] - other[0] + 2) if same > 0 else 0.0


def choose(spans: Sequence[Span], scores: Sequence[float]) -> int:
    """Return which span has most in common with all, weighed by probability; `scores` are logits."""
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    shared = [sum(w * overlap(span, other) for other, w in zip(spans, weights, strict=True)) for span in spans]
    return max(range(len(spans)), key=lambda n: shared[n])
