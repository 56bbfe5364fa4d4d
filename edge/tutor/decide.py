"""Is what was found good enough to be shown as the answer?

Pure. Each judgement is a probability from a few plain features; weights and thresholds
were fitted on questions whose answer had been taken out of the index
(`python -m benchmarks.fit_decisions`), never on the questions of the tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.library.question import Question
from edge.library.search import Found, Passage

BANK_WEIGHTS = (6.0, 4.0, 5.0, 1.0)
BANK_BIAS = -10.5
BANK_THRESHOLD = 0.5
PASSAGE_WEIGHTS = (5.0, 3.0, 4.0)
PASSAGE_BIAS = -7.0
SENTENCE_THRESHOLD = 0.6
"""From here on the reader's sentence leads, and its passage follows."""

PASSAGE_THRESHOLD = 0.4
"""From here on the passage is shown as it stands."""


def bank_features(found: Found) -> tuple[float, ...]:
    """Return what the judgement of a bank entry weighs."""
    return (found.covered, found.covering, found.answered, found.kind)


def passage_features(question: Question, passage: Passage, confidence: float) -> tuple[float, ...]:
    """Return what the judgement of a passage weighs."""
    return (passage.covered, passage.inside, confidence)


def bank_fits(found: Found) -> float:
    """Return the probability that a bank entry answers the question."""
    return _logistic(BANK_WEIGHTS, BANK_BIAS, bank_features(found))


def passage_fits(question: Question, passage: Passage, confidence: float) -> float:
    """Return the probability that a passage answers, given the reader's confidence in its best sentence."""
    return _logistic(PASSAGE_WEIGHTS, PASSAGE_BIAS, passage_features(question, passage, confidence))


def _logistic(weights: Sequence[float], bias: float, features: Sequence[float]) -> float:
    total = bias + sum(w * f for w, f in zip(weights, features, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
