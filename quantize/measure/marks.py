"""Compare what a model said with what it should have said. Pure functions on text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edge.tutor.features import words_of
from quantize.lm.lessons import stems

LOOP_WORDS, LOOP_TIMES = 3, 4
"""The same run of three words, four times in one answer, is a loop."""


def tokens_of(text: str) -> list[str]:
    """Return the words of `text` without case, accents and signs."""
    return [word.folded for word in words_of(text) if word.folded.isalnum()]


def f1(said: str, golds: Sequence[str]) -> float:
    """Return how much of the best fitting right answer was said, and how little else."""
    return max((_f1(tokens_of(said), tokens_of(gold)) for gold in golds), default=0.0)


def exact(said: str, golds: Sequence[str]) -> bool:
    """Tell whether the answer is one of the right ones, but for case, accents and signs."""
    return tokens_of(said) in [tokens_of(gold) for gold in golds]


def holds(said: str, golds: Sequence[str]) -> bool:
    """Tell whether a right answer occurs in what was said."""
    text = f" {' '.join(tokens_of(said))} "
    return any(f" {' '.join(tokens_of(gold))} " in text for gold in golds)


def verbatim(said: str, passage: str) -> bool:
    """Tell whether what was said stands word for word in the passage."""
    return bool(tokens_of(said)) and holds(passage, [said])


def supported(said: str, source: str) -> bool:
    """Tell whether what was said uses only what the source is about, in other words than the source."""
    mine = stems(said)
    return bool(mine) and mine <= stems(source) and tokens_of(said) != tokens_of(source)


def loops(said: str) -> bool:
    """Tell whether an answer goes round in circles."""
    words = tokens_of(said)
    runs = Counter(tuple(words[at : at + LOOP_WORDS]) for at in range(len(words) - LOOP_WORDS + 1))
    return any(times >= LOOP_TIMES for times in runs.values())


def _f1(said: list[str], gold: list[str]) -> float:
    shared = sum((Counter(said) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(gold)
    return 2 * precision * recall / (precision + recall)
