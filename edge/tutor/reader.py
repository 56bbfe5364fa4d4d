"""Find, in the passages of the library, the sentence that answers a question.

A small network reads the question beside each passage; a calibration turns what it
says, and what the words themselves say, into the probability that a sentence answers.
It invents nothing: it points at text that is there, or is not sure.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.tutor.encoding import PAD, RARE, Asked, Encoded, Line, Vocabulary, encode, understand

NETWORK, VOCABULARY, CARD = "reader.onnx", "vocabulary.json", "card.json"
THREADS = 2
AT_MOST = 5
LONGEST_SPAN_PIECES = 24
MAX_PASSAGES = 12
MAX_PASSAGE_LETTERS = 6000
FEATURES = (
    "answers",
    "any",
    "span",
    "line",
    "pairs",
    "passage",
    "lacks",
    "order",
    "length",
    "local",
    "share",
)
"""What is known of each sentence; the ranking has one weight for each."""

TRUST = ("score", "gap", "any", "line", "passage", "lacks")
"""What is known of the best sentence; confidence in it has one weight for each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence that may answer, where it stands, and how sure the reader is."""

    passage: int
    sentence: str
    """Verbatim, as it stands in the passage."""

    span: str
    """The few words of the sentence that answer best, verbatim."""

    confidence: float
    """The probability, measured on questions held out from training, that this sentence answers."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A sentence as the network and the words describe it, before any judgement."""

    passage: int
    start: int
    end: int
    span: tuple[int, int]
    features: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Ranks sentences by weighed features, and says how far the best one can be trusted."""

    ranking: tuple[float, ...]
    trust: tuple[float, ...]
    bias: float

    def scores(self, many: Sequence[Seen]) -> list[float]:
        """Return how well each sentence answers, beside the others."""
        return [sum(w * f for w, f in zip(self.ranking, seen.features, strict=True)) for seen in many]

    def confidences(self, many: Sequence[Seen]) -> list[float]:
        """Return the probability that each sentence answers."""
        scores = self.scores(many)
        best = max(range(len(many)), key=lambda n: scores[n], default=None)
        if best is None:
            return []
        facts = trust_facts(many, scores, best)
        total = self.bias + sum(w * f for w, f in zip(self.trust, facts, strict=True))
        chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
        return [chance * math.exp(max(-30.0, score - scores[best])) for score in scores]


def trust_facts(many: Sequence[Seen], scores: Sequence[float], best: int) -> tuple[float, ...]:
    """Return what TRUST names about the best of some sentences."""
    others = [score for number, score in enumerate(scores) if number != best]
    gap = min(3.0, scores[best] - max(others, default=-math.inf))
    facts = dict(zip(FEATURES, many[best].features, strict=True))
    return (scores[best], gap, *(facts[name] for name in TRUST[2:]))


class Reader:
    """The network, its vocabulary and its judge, ready to read."""

    def __init__(self, session: Any, vocabulary: Vocabulary, judge: Judge) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._judge = judge

    @classmethod
    def open(cls, folder: Path | None = None) -> Reader:
        """Open the reader in `folder`, or the embedded one; raise ModelError when it cannot be trusted."""
        place = folder or Path(str(files("edge").joinpath("models", "reader")))
        card = _read_card(place)
        content = {name: _read_checked(place / name, card) for name in (NETWORK, VOCABULARY)}
        try:
            vocabulary = parse_vocabulary(content[VOCABULARY])
            judge = _judge_of(card)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError("reader-damaged", path=place, reason=str(error)) from error
        return cls(_session(content[NETWORK], place), vocabulary, judge)

    def read(self, question: str, passages: Sequence[str], lang: str) -> list[Reading]:
        """Return the sentences that may answer, the surest first, at most five; `passages` best first."""
        del lang  # one network reads Spanish and Portuguese
        many = self.look(question, passages)
        readings = []
        for seen, confidence in zip(many, self._judge.confidences(many), strict=True):
            text = passages[seen.passage]
            readings.append(
                Reading(
                    passage=seen.passage,
                    sentence=text[seen.start : seen.end],
                    span=text[seen.span[0] : seen.span[1]],
                    confidence=confidence,
                    start=seen.start,
                    end=seen.end,
                )
            )
        readings.sort(key=lambda reading: -reading.confidence)
        return readings[:AT_MOST]

    def look(self, question: str, passages: Sequence[str]) -> list[Seen]:
        """Describe every sentence of the passages; what calibration and evaluation start from."""
        asked = understand(question, self._vocabulary)
        if not asked.words:
            return []
        parts = [
            (number, part)
            for number, text in enumerate(passages[:MAX_PASSAGES])
            for part in encode(asked, text[:MAX_PASSAGE_LETTERS], self._vocabulary)
        ]
        if not parts:
            return []
        logits = self._run([part for _, part in parts])
        return [
            seen
            for (number, part), rows in zip(parts, logits, strict=True)
            for seen in _describe(asked, number, part, rows)
        ]

    def _run(self, parts: Sequence[Encoded]) -> Any:
        import numpy as np

        longest = max(len(part.ids) for part in parts)
        ids = np.full((len(parts), longest), PAD, dtype=np.int64)
        kinds = np.zeros_like(ids)
        for row, part in enumerate(parts):
            ids[row, : len(part.ids)] = part.ids
            kinds[row, : len(part.kinds)] = part.kinds
        given = {"input_ids": ids, "token_type_ids": kinds, "attention_mask": (ids != PAD).astype(np.int64)}
        return self._session.run(None, given)[0]


def parse_vocabulary(content: bytes) -> Vocabulary:
    """Read a vocabulary file; raise ValueError, KeyError or TypeError when it is not one."""
    found = json.loads(content)
    weights: Mapping[str, float] = found["weights"]
    return Vocabulary({piece: number for number, piece in enumerate(found["pieces"])}, weights)


def _describe(asked: Asked, number: int, part: Encoded, logits: Any) -> list[Seen]:
    """Turn the network's numbers for one sequence into one description a sentence."""
    begins, ends = _log_shares(part, logits[:, 0]), _log_shares(part, logits[:, 1])
    lacking = max((w for stem, w in asked.stems.items() if stem not in part.stems), default=0.0) / RARE
    top = max((line.local for line in part.lines), default=0.0)
    found = []
    for line in part.lines:
        if line.marker >= len(part.ids) - 1:
            continue
        span, score = _best_span(part, line, begins, ends)
        features = (
            float(logits[line.marker, 2]),
            float(logits[0, 3]),
            max(score, -12.0),
            line.coverage,
            line.pairs,
            part.coverage,
            lacking,
            1 / (1 + number),
            math.log(line.end - line.start + 1) - 4,
            line.local / 4,
            line.local / top if top else 0.0,
        )
        found.append(Seen(number, line.start, line.end, span, features))
    return found


def _log_shares(part: Encoded, logits: Any) -> list[float]:
    values = [float(v) if place[0] >= 0 else -1e4 for v, place in zip(logits, part.places, strict=False)]
    top = max(values)
    total = top + math.log(sum(math.exp(v - top) for v in values))
    return [v - total for v in values]


def _best_span(
    part: Encoded, line: Line, begins: Sequence[float], ends: Sequence[float]
) -> tuple[tuple[int, int], float]:
    """Return where the best words of a line begin and end in the passage, and their score."""
    inside = [n for n, (start, end) in enumerate(part.places) if start >= line.start and 0 < end <= line.end]
    best, span = -math.inf, (line.start, line.end)
    for place, first in enumerate(inside):
        for last in inside[place : place + LONGEST_SPAN_PIECES]:
            if begins[first] + ends[last] > best:
                best = begins[first] + ends[last]
                span = (part.places[first][0], part.places[last][1])
    return span, best


def _read_card(place: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads((place / CARD).read_bytes())
    except OSError as error:
        raise ModelError("reader-missing", path=place / CARD, reason=error.strerror or str(error)) from error
    except ValueError as error:
        raise ModelError("reader-damaged", path=place / CARD, reason=str(error)) from error
    return card


def _read_checked(path: Path, card: Mapping[str, Any]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError("reader-missing", path=path, reason=error.strerror or str(error)) from error
    try:
        wanted = card["files"][path.name]["sha256"]
    except (KeyError, TypeError) as error:
        raise ModelError("reader-damaged", path=path.with_name(CARD), reason=str(error)) from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ModelError("reader-altered", path=path, size=len(content), wanted=card["files"][path.name]["size"])
    return content


def _judge_of(card: Mapping[str, Any]) -> Judge:
    found = card["calibration"]
    if tuple(found["features"]) != FEATURES or tuple(found["facts"]) != TRUST:
        raise ValueError(f"calibration is for {found['features']}")
    ranking = tuple(float(weight) for weight in found["ranking"])
    trust = tuple(float(weight) for weight in found["trust"])
    if len(ranking) != len(FEATURES) or len(trust) != len(TRUST):
        raise ValueError("calibration lacks weights")
    return Judge(ranking, trust, float(found["bias"]))


def _session(network: bytes, place: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError, onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise ModelError("reader-damaged", path=place / NETWORK, reason=str(error)[:200]) from error
