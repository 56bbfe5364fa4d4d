"""Learn how to rank, how much to believe and which words to show, from what the reader sees in held-out scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.tutor.reader import Reader
from edge.tutor.seen import FEATURES, TRUST, Judge, Seen, trust_facts
from edge.tutor.span import FACTS
from quantize.reader.scenes import Scene
from quantize.reader.score import f1_of

MASS = {
    "squad": 1.0,
    "absent": 0.3,
    "impossible": 0.4,
    "lessons": 2.5,
    "off-topic": 1.2,
    "paragraph": 0.5,
    "unanswered": 0.5,
}
"""How much each kind of scene counts for confidence: a tutor meets questions about its own lessons most."""

RANKED = {"squad": 1.0, "paragraph": 1.0, "lessons": 1.0}
"""How much each kind of scene counts for the ranking."""

PULL = 2.0
"""Keeps the weights small (L2)."""

WORDS_PULL, WORDS_STEPS, WORDS_RATE = 0.003, 300, 0.05
WORDS_SOFT, WORDS_SHARP = 0.15, 0.15
"""Beside the expected overlap, how much the weights are to spread over all good spans, and how good is good."""

Looked = Sequence[tuple[Scene, Sequence[Seen]]]


def calibrate(reader: Reader, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Return the calibration that the reader's card holds."""
    looked = [(scene, reader.look(scene.question, scene.passages)) for scene in scenes]
    ranking = tuple(float(weight) for weight in fit_ranking(looked))
    judge = Judge(ranking, (0.0,) * len(TRUST), 0.0, (0.0,) * len(FACTS))
    solved = _fit_trust(looked, judge)
    return {
        "features": list(FEATURES),
        "facts": list(TRUST),
        "span_facts": list(FACTS),
        "ranking": [round(weight, 5) for weight in ranking],
        "trust": [round(float(weight), 5) for weight in solved[:-1]],
        "bias": round(float(solved[-1]), 5),
        "words": [round(float(weight), 5) for weight in fit_words(reader, looked)],
    }


def is_right(scene: Scene, seen: Seen) -> bool:
    """Tell whether a sentence is one of those that answer."""
    return (seen.passage, seen.start) in scene.right


def fit_ranking(looked: Looked) -> Any:
    """Fit weights so that a right sentence is chosen among all of its scene (conditional logit, Newton)."""
    counts = Counter(scene.kind for scene, _ in looked)
    choices = []
    for scene, many in looked:
        right = np.array([is_right(scene, seen) for seen in many], dtype=float)
        if scene.kind in RANKED and right.any() and not right.all():
            rows = np.array([seen.features for seen in many])
            choices.append((rows, right, 400 * RANKED[scene.kind] / counts[scene.kind]))
    solved = np.zeros(len(FEATURES))
    for _ in range(60):
        slope, bend = PULL * solved, np.eye(len(FEATURES)) * PULL
        for rows, right, mass in choices:
            lift = np.exp(rows @ solved - (rows @ solved).max())
            for share, sign in ((lift / lift.sum(), 1.0), (lift * right / (lift * right).sum(), -1.0)):
                middle = share @ rows
                slope = slope + sign * mass * middle
                if sign > 0:
                    bend = bend + mass * ((rows * share[:, None]).T @ rows - np.outer(middle, middle))
        step = np.linalg.solve(bend, slope)
        solved = solved - step
        if abs(step).max() < 1e-6:
            break
    return solved


def fit_words(reader: Reader, looked: Looked) -> Any:
    """Fit weights for spans so that the overlap with people's answers is as large as can be expected (Adam)."""
    many = [
        (
            scene.passages[seen.passage],
            scene.answers,
            [(seen.place(span), facts) for span, facts in seen.choices(asked)],
        )
        for scene, all_seen in looked
        if scene.answers
        for asked in [reader.understand(scene.question)]
        for seen in all_seen
        if is_right(scene, seen)
    ]
    weights = np.zeros(len(FACTS))
    weights[0] = 1.0
    if not many:
        return weights
    most = max(len(choices) for _, _, choices in many)
    table, good = np.zeros((len(many), most, len(FACTS))), np.zeros((len(many), most))
    there = np.zeros((len(many), most), dtype=bool)
    for row, (text, answers, choices) in enumerate(many):
        for n, ((start, end), facts) in enumerate(choices):
            table[row, n], there[row, n] = facts, True
            good[row, n] = max(f1_of(text[start:end], answer) for answer in answers)
    wanted = _softmax(np.where(there, good, -1e4) / WORDS_SHARP)
    first, slope_mean, slope_size = weights.copy(), np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, WORDS_STEPS + 1):
        shares = _softmax(np.where(there, table @ weights, -1e9))
        lead = shares * (good - (shares * good).sum(1, keepdims=True)) + WORDS_SOFT * (wanted - shares)
        slope = lead.reshape(-1) @ table.reshape(-1, len(FACTS)) / len(many) - WORDS_PULL * (weights - first)
        slope_mean = 0.9 * slope_mean + 0.1 * slope
        slope_size = 0.99 * slope_size + 0.01 * slope**2
        move = (slope_mean / (1 - 0.9**step)) / (np.sqrt(slope_size / (1 - 0.99**step)) + 1e-8)
        weights = weights + WORDS_RATE * move
    return weights


def _softmax(scores: Any) -> Any:
    lifts = np.exp(scores - scores.max(1, keepdims=True))
    return lifts / lifts.sum(1, keepdims=True)


def _fit_trust(looked: Looked, judge: Judge) -> Any:
    """Fit how often the best sentence of a scene is right, from what is known of it."""
    counts = Counter(scene.kind for scene, _ in looked)
    inputs, right, mass = [], [], []
    for scene, many in looked:
        if scene.kind not in MASS or not many:
            continue
        scores = judge.scores(many)
        best = max(range(len(many)), key=lambda n: scores[n])
        inputs.append(trust_facts(many, scores, best))
        right.append(float(is_right(scene, many[best])))
        mass.append(MASS[scene.kind] / counts[scene.kind])
    weights = np.array(mass) * len(mass) / sum(mass)
    return fit(np.array(inputs), np.array(right), weights)


def fit(inputs: Any, right: Any, mass: Any) -> Any:
    """Fit a weighted logistic regression by Newton's method; the last number is the bias."""
    wide = np.hstack([inputs, np.ones((len(inputs), 1))])
    solved = np.zeros(wide.shape[1])
    pull = np.full(wide.shape[1], PULL)
    pull[-1] = 1e-3
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(wide @ solved, -30, 30)))
        slope = wide.T @ (mass * (chance - right)) + pull * solved
        bend = (wide * (mass * chance * (1 - chance))[:, None]).T @ wide + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        solved = solved - step
        if abs(step).max() < 1e-7:
            break
    return solved
