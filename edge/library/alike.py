"""How alike a question is to a bank entry or a passage, as features for a judge.

Pure: sides come in, numbers go out. `exact` counts words, `near` counts meanings too;
every share is of the weight of the words, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.library.meaning import Side
from edge.library.question import kinds_agree

if TYPE_CHECKING:
    from edge.library.meaning import Floats

SCALE = 20.0
"""Brings sums of weights to about 1."""

ALL = 0.999

ENTRY_NEAR, ENTRY_CENTRE = 17, 31
PASSAGE_NEAR, PASSAGE_CENTRE = 5, 17
"""The places of the two most telling features, for comparing candidates with each other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A bank entry as sides: the ways to ask it, all of them together, its answer, its lesson."""

    ways: tuple[tuple[str, str, Side], ...]
    """Text, kind of question and side of each way to ask."""

    asked: Side
    answer: Side
    about: Side
    everything: Side


@dataclass(frozen=True, slots=True)
class Ranks:
    """How the whole library's searches placed one candidate."""

    by_words: float
    """1 / (1 + place) in the order of bm25."""

    behind: float
    """How far it stands behind the nearest one in the order of meanings."""


def nearest_way(question: Side, kind: str, entry: Entry) -> tuple[str, list[float]]:
    """Return the way to ask that is most alike, with its features."""
    best_text, best, best_score = "", [0.0] * 9, -1.0
    for text, way_kind, way in entry.ways:
        exact, near = question.found_in(way)
        exact_back, near_back = way.found_in(question)
        features = [
            question.share(exact), question.share(near), way.share(exact_back), way.share(near_back),
            question.pulled(near), way.pulled(near_back),
            kinds_agree(kind, way_kind), float(question.centre @ way.centre),
            float((exact * question.weights).sum()) / SCALE,
        ]  # fmt: skip
        score = features[1] + features[3] + 0.1 * features[6]
        if score > best_score:
            best_text, best, best_score = text, features, score
    return best_text, best


def entry_features(question: Side, kind: str, rarity: Floats, entry: Entry, ranks: Ranks) -> tuple[str, list[float]]:
    """Return the nearest way to ask, and everything a judge wants to know about the entry.

    `rarity`, shape (words,), is how rare each word of the question is in this library.
    """
    way, features = nearest_way(question, kind, entry)
    centre = max((float(question.centre @ side.centre) for _, _, side in entry.ways), default=0.0)
    return way, [
        *features,
        *question_shares(question, entry.asked),
        *question_shares(question, entry.answer),
        question_shares(question, entry.about)[0],
        *question_gaps(question, rarity, entry.everything),
        float(question.centre @ entry.answer.centre),
        float(question.centre @ entry.about.centre),
        centre,
        ranks.by_words,
        ranks.behind,
    ]


def says_the_same(features: Sequence[float]) -> bool:
    """Tell from an entry's features whether the question is one of its ways to ask, in the same words."""
    return features[0] > ALL and features[2] > ALL and features[6] == 1.0


def passage_features(
    question: Side, rarity: Floats, passage: Side, about: Side, both: Side, ranks: Ranks
) -> list[float]:
    """Return everything a judge wants to know about a passage before the reader has read it."""
    return [
        *question_shares(question, passage),
        question_shares(question, about)[0],
        *question_gaps(question, rarity, both),
        float(question.centre @ passage.centre),
        float(question.centre @ about.centre),
        ranks.by_words,
        ranks.behind,
    ]


def question_shares(question: Side, other: Side) -> tuple[float, float, float]:
    """Return the parts of the question that `other` holds exactly and nearly, and of what matters in it."""
    exact, near = question.found_in(other)
    return question.share(exact), question.share(near), question.pulled(near)


def question_gaps(question: Side, rarity: Floats, other: Side) -> list[float]:
    """Return what is held and what is lacking, as shares and as sums: one rare word missing tells much."""
    exact, near = question.found_in(other)
    if not len(exact):
        return [0.0] * 2 + [1.0] * 3 + [0.0] * 2 + [1.0] + [0.0] * 2 + [1.0] * 2 + [0.0]
    lacking = question.weights * (1 - near)
    return [
        question.share(exact),
        question.share(near),
        float((question.weights * (1 - exact)).max()) / 10,
        float(lacking.max()) / 10,
        float(lacking.sum()) / SCALE,
        len(exact) / 10,
        float((rarity * exact).sum()) / SCALE,
        float((rarity * (1 - exact)).max()) / 10,
        question.pulled(exact),
        question.pulled(near),
        float((question.pulls * (1 - near)).max()) / 5,
        float((question.pulls * (1 - near)).sum()) / SCALE,
        float(question.centre @ other.centre),
    ]
