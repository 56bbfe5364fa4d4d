"""Learn how to rank and how much to believe, from what the reader sees in held-out scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.tutor.reader import FEATURES, TRUST, Judge, Reader, Seen, trust_facts
from quantize.reader.scenes import Scene

MASS = {"squad": 1.0, "absent": 0.3, "impossible": 0.4, "lessons": 2.5, "off-topic": 1.2}
"""How much each kind of scene counts for confidence: a tutor meets questions about its own lessons most."""

RANKED = {"squad": 1.0, "paragraph": 1.0, "lessons": 1.0}
"""How much each kind of scene counts for the ranking."""

PULL = 2.0
"""Keeps the weights small (L2)."""

Looked = Sequence[tuple[Scene, Sequence[Seen]]]


def calibrate(reader: Reader, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Return the calibration that the reader's card holds."""
    looked = [(scene, reader.look(scene.question, scene.passages)) for scene in scenes]
    ranking = tuple(float(weight) for weight in fit_ranking(looked))
    judge = Judge(ranking, (0.0,) * len(TRUST), 0.0)
    solved = _fit_trust(looked, judge)
    return {
        "features": list(FEATURES),
        "facts": list(TRUST),
        "ranking": [round(weight, 5) for weight in ranking],
        "trust": [round(float(weight), 5) for weight in solved[:-1]],
        "bias": round(float(solved[-1]), 5),
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
