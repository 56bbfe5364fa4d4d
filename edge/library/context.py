"""How a candidate stands among the others that the same question found.

One entry that fits while nothing near it does is more often chance than one whose whole
lesson fits. Pure: columns of numbers come in, columns come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.library.question import Question

if TYPE_CHECKING:
    from edge.library.meaning import Floats

SHARPNESS = 8.0
"""How much more a candidate that stands nearer counts for its lesson."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a question found, one row each, with its two telling features."""

    lessons: Sequence[str]
    near: Floats
    """Shape (candidates,): the part of the question that a candidate and its lesson hold."""

    centre: Floats
    """Shape (candidates,): how near the whole texts stand."""


def surroundings(found: Candidates) -> Floats:
    """Return shape (candidates, 9): how far ahead of other lessons, how much of the list is the same lesson's."""
    import numpy as np

    lessons, near, centre = np.array(found.lessons), found.near, found.centre
    nearness = np.exp(SHARPNESS * (centre - centre.max()))
    nearness /= nearness.sum()
    rows = []
    for number in range(len(lessons)):
        same = lessons == lessons[number]
        rest = same & (np.arange(len(lessons)) != number)
        rows.append(
            [
                near[number] - near[~same].max(initial=0.0),
                centre[number] - centre[~same].max(initial=0.0),
                same.mean(),
                nearness[same].sum(),
                near.max(),
                centre.max(),
                (near > near[number]).mean(),
                (centre > centre[number]).mean(),
                near[rest].max(initial=0.0),
            ]
        )
    return np.array(rows, dtype=np.float32)


def agreement(found: Candidates, other: Candidates) -> Floats:
    """Return shape (candidates, 2): how well the other kind of candidate fits in the same lesson, and how far ahead."""
    import numpy as np

    theirs = np.array(other.lessons)
    rows = []
    for lesson in found.lessons:
        inside = other.near[theirs == lesson].max(initial=0.0)
        rows.append([inside, inside - other.near[theirs != lesson].max(initial=0.0)])
    return np.array(rows, dtype=np.float32)


def question_facts(question: Question) -> list[float]:
    """Return how many words a question has, and what part of it no lesson has ever mentioned."""
    total = sum(word.weight for word in question.words) + 1e-6
    unknown = [word for word in question.words if not word.known]
    return [
        len(question.words) / 10,
        len(unknown) / 5,
        sum(word.weight for word in unknown) / total,
        float(any(word.text[:1].isupper() for word in unknown)),
    ]
