"""What the reader makes of a sentence it has seen, and how it judges many of them.

Pure: the network's numbers and the laid-out passage come in, a description of each
sentence comes out. The weights of the judge are in the reader's card.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.tutor import span as spans
from edge.tutor.clues import CLUES, Asked
from edge.tutor.encoding import Laid, Line, Row

BEGINS, ENDS, ANSWERS, ANY = range(4)
"""What the network's four numbers mean."""

FROM_CLUES = ("coverage", "pairs", "names", "names_missing", "wanted_none", "rarest_missing", "length", "begin_share")
FEATURES = (
    *(
        "answers",
        "answers_share",
        "any",
        "span",
        "guess",
        "passage",
        "lacks",
        "found",
        "missing",
        "denies",
        "order",
        "fit",
    ),
    *FROM_CLUES,
)
"""What is known of each sentence; the ranking has one weight for each."""

TRUST = (
    *("score", "gap", "answers", "any", "span", "guess", "passage", "lacks", "found", "missing", "denies"),
    *("coverage", "names_missing", "wanted_none"),
)
"""What is known of the best sentence; confidence in it has one weight for each."""

_CLUE = {name: CLUES.index(name) for name in ("fit", *FROM_CLUES)}


@dataclass(frozen=True, slots=True)
class Seen:
    """A sentence as the network and the words describe it, before any judgement."""

    passage: int
    features: tuple[float, ...]
    line: Line
    begins: Any
    """How likely an answer begins at each word of the line, as logarithm; shape (words,)."""

    ends: Any

    @property
    def start(self) -> int:
        """Return where the sentence begins in its passage."""
        return self.line.start

    @property
    def end(self) -> int:
        """Return where the sentence ends in its passage."""
        return self.line.end

    def choices(self, asked: Asked) -> list[tuple[spans.Span, tuple[float, ...]]]:
        """Return the spans of words that may answer, with the facts that weigh them."""
        return [
            (span, spans.facts_about(asked, self.line, span, float(self.begins[span[0]]), float(self.ends[span[1]])))
            for span, _ in spans.likely_spans(self.begins, self.ends)
        ]

    def place(self, span: spans.Span) -> tuple[int, int]:
        """Return where a span of words begins and ends in the passage."""
        return self.line.words[span[0]].start, self.line.words[span[1]].end


@dataclass(frozen=True, slots=True)
class Judge:
    """Ranks sentences by weighed features, says how far the best one can be trusted, and weighs spans."""

    ranking: tuple[float, ...]
    trust: tuple[float, ...]
    bias: float
    words: tuple[float, ...]

    def scores(self, many: Sequence[Seen]) -> list[float]:
        """Return how well each sentence answers, beside the others."""
        return [_dot(self.ranking, seen.features) for seen in many]

    def confidences(self, many: Sequence[Seen]) -> list[float]:
        """Return the probability that each sentence answers."""
        scores = self.scores(many)
        best = max(range(len(many)), key=lambda n: scores[n], default=None)
        if best is None:
            return []
        total = self.bias + _dot(self.trust, trust_facts(many, scores, best))
        chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
        return [chance * math.exp(max(-30.0, score - scores[best])) for score in scores]

    def best_words(self, asked: Asked, seen: Seen) -> tuple[int, int]:
        """Return where the words that answer best begin and end in the passage."""
        found = seen.choices(asked)
        best = spans.choose([span for span, _ in found], [_dot(self.words, facts) for _, facts in found])
        return seen.place(found[best][0])


def trust_facts(many: Sequence[Seen], scores: Sequence[float], best: int) -> tuple[float, ...]:
    """Return what TRUST names about the best of some sentences."""
    others = [score for number, score in enumerate(scores) if number != best]
    gap = min(3.0, scores[best] - max(others, default=-math.inf))
    facts = dict(zip(FEATURES, many[best].features, strict=True))
    return (scores[best], gap, *(facts[name] for name in TRUST[2:]))


def parse_judge(found: Mapping[str, Any]) -> Judge:
    """Read a card's calibration; raise ValueError, KeyError or TypeError when it is not one."""
    named = {"features": FEATURES, "facts": TRUST, "span_facts": spans.FACTS}
    for name, wanted in named.items():
        if tuple(found[name]) != wanted:
            raise ValueError(f"calibration is for {found[name]}")
    ranking, trust, words = (tuple(float(w) for w in found[name]) for name in ("ranking", "trust", "words"))
    if (len(ranking), len(trust), len(words)) != (len(FEATURES), len(TRUST), len(spans.FACTS)):
        raise ValueError("calibration lacks weights")
    return Judge(ranking, trust, float(found["bias"]), words)


def describe(number: int, laid: Laid, read: Sequence[tuple[Row, Any]]) -> list[Seen]:
    """Turn the network's numbers for one passage, one array a sequence, into one description a sentence."""
    lines = [
        (line, marker, values)
        for row, values in read
        for line, marker in zip(row.lines, row.markers, strict=True)
        if marker < len(row.ids) - 1
    ]
    sides = [[_of_words(line, marker, values, side) for side in (BEGINS, ENDS)] for line, marker, values in lines]
    totals = [_log_sum([float(n) for pair in sides for n in pair[side]]) for side in (BEGINS, ENDS)]
    marks = [float(values[marker, ANSWERS]) for _, marker, values in lines]
    all_marks = _log_sum(marks)
    any_of_it = max((float(values[0, ANY]) for _, values in read), default=0.0)
    found = []
    for (line, _, _), pair, mark in zip(lines, sides, marks, strict=True):
        begins, ends = pair[BEGINS] - totals[BEGINS], pair[ENDS] - totals[ENDS]
        features = (
            mark,
            mark - all_marks,
            any_of_it,
            max(spans.best_score(begins, ends), -12.0),
            math.log(max(line.likely, 1e-4)),
            laid.coverage,
            laid.lacking,
            laid.coverage * laid.mass / 20,
            (1 - laid.coverage) * laid.mass / 20,
            float(laid.denies),
            1 / (1 + number),
            line.clues[_CLUE["fit"]],
            *(line.clues[_CLUE[name]] for name in FROM_CLUES),
        )
        found.append(Seen(number, features, line, begins, ends))
    return found


def _of_words(line: Line, marker: int, values: Any, side: int) -> Any:
    """Return the network's number for each word that is in the sequence: of its first or of its last piece."""
    import numpy as np

    inside = [n for n in range(len(line.owners)) if line.owners[n] >= 0 and marker + n < len(values)]
    numbers = np.full(len(line.words), -1e4)
    for n in reversed(inside) if side == BEGINS else inside:
        numbers[line.owners[n]] = values[marker + n, side]
    return numbers


def _log_sum(values: Sequence[float]) -> float:
    top = max(values, default=0.0)
    return top + math.log(sum(math.exp(value - top) for value in values) or 1.0)


def _dot(weights: Sequence[float], facts: Sequence[float]) -> float:
    return sum(w * f for w, f in zip(weights, facts, strict=True))
