"""Fit the judgements: which bank entry answers, which passage, and when nothing does.

Cross-validated by question, with libraries that did not know the fold's questions either.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from edge.library.judge import FIELDS, Judge
from quantize.search.settings import SearchTable

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """One question with its candidates: features, shape (candidates, features), and how right each is, 0 to 1."""

    text: str
    answerable: bool
    features: Floats
    right: Floats
    good: npt.NDArray[np.bool_]
    """Which candidates would be a good answer, for counting; `right` may be softer."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A judgement, and what it said of each question when it had not been fitted on it."""

    judge: Judge
    best: npt.NDArray[np.float64]
    """The probability of the best candidate of each group, shape (groups,)."""

    good: npt.NDArray[np.bool_]
    """Whether that candidate is a good answer, shape (groups,)."""


def fold_of(text: str, folds: int) -> int:
    """Return the fold of a question, the same on every machine."""
    return zlib.crc32(text.encode()) % folds


def fit(groups: Sequence[Group], table: SearchTable, seed: int) -> Fitted:
    """Fit on all groups; what is said of each comes from trees that did not see its fold."""
    best = np.zeros(len(groups))
    good = np.zeros(len(groups), dtype=bool)
    folds = np.array([fold_of(group.text, table.folds) for group in groups])
    for fold in range(table.folds):
        judge = _train([g for g, f in zip(groups, folds, strict=True) if f != fold], table, seed)
        for number in np.flatnonzero(folds == fold).tolist():
            if len(groups[number].features):
                probability = judge.probabilities(groups[number].features)
                best[number] = probability.max()
                good[number] = groups[number].good[probability.argmax()]
    return Fitted(_train(groups, table, seed), best, good)


def threshold_for(best: npt.NDArray[np.float64], kinds: Sequence[str], table: SearchTable) -> float:
    """Return the probability that the allowed part of unanswerable questions reaches, `near` ones weighed as in class."""
    kind = np.array(kinds)
    share = {"near": table.near_share, "off": 1 - table.near_share}
    weight = np.zeros(len(best))
    for name, part in share.items():
        weight[kind == name] = part / max(1, (kind == name).sum())
    order = np.argsort(-best)
    reached = np.cumsum(weight[order])
    last = int(np.searchsorted(reached, table.false_answers))
    return float(best[order][min(last, len(best) - 1)])


def figures_of(
    best: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], answerable: npt.NDArray[np.bool_], threshold: float
) -> dict[str, float]:
    """Return what a threshold means for questions that were not fitted on."""
    shown = best >= threshold
    apart = (best[answerable][:, None] > best[~answerable][None]).mean()
    return {
        "questions": len(best),
        "first_is_right": round(float(good[answerable].mean()), 3),
        "auc": round(float(apart), 3),
        "threshold": round(threshold, 4),
        "answered_right": round(float((good & shown)[answerable].mean()), 3),
        "answered_wrong": round(float((~good & shown)[answerable].mean()), 3),
        "false_answers": round(float(shown[~answerable].mean()), 3),
    }


def _train(groups: Sequence[Group], table: SearchTable, seed: int) -> Judge:
    """Average a few boosted models, each of a random draw of the questions (bagging)."""
    random = np.random.default_rng(seed)
    usable = [group for group in groups if len(group.features)]
    bags = [[usable[n] for n in random.integers(len(usable), size=len(usable))] for _ in range(table.bags)]
    return _average([_judge_of(_boost(bag, table, seed)) for bag in bags])


def _boost(groups: Sequence[Group], table: SearchTable, seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=table.trees,
        learning_rate=table.rate,
        max_leaf_nodes=table.leaves,
        min_samples_leaf=table.least_in_leaf,
        l2_regularization=table.restraint,
        random_state=seed,
    ).fit(np.concatenate([g.features for g in groups]), np.concatenate([g.right for g in groups]))


def _average(judges: Sequence[Judge]) -> Judge:
    """Return one judge that says the mean of what `judges` say: their trees side by side, values divided."""
    width = max(judge.feature.shape[1] for judge in judges)

    def together(field: str, empty: int) -> npt.NDArray[Any]:
        arrays = [getattr(judge, field) for judge in judges]
        return np.concatenate([np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=empty) for a in arrays])

    return Judge(
        together("feature", -1),
        together("bound", 0),
        together("below", 0),
        together("above", 0),
        (together("value", 0) / len(judges)).astype(np.float32),
        sum(judge.start for judge in judges) / len(judges),
        0.5,
    )


def _judge_of(model: HistGradientBoostingRegressor) -> Judge:
    """Return the trees as devices read them. scikit-learn keeps them in a private place; a test compares."""
    trees = [predictors[0].nodes for predictors in model._predictors]
    width = max(len(nodes) for nodes in trees)

    def stack(name: str, kind: type) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = np.zeros((len(trees), width), dtype=kind)
        for row, nodes in enumerate(trees):
            found[row, : len(nodes)] = nodes[name]
        return found

    leaf = stack("is_leaf", np.bool_)
    feature = np.where(leaf, -1, stack("feature_idx", np.int16)).astype(np.int16)
    feature[stack("count", np.int64) == 0] = -1
    start = float(np.ravel(model._baseline_prediction)[0])
    return Judge(
        feature,
        stack("num_threshold", np.float64).astype(np.float32),
        stack("left", np.int16),
        stack("right", np.int16),
        np.where(leaf, stack("value", np.float64), 0.0).astype(np.float32),
        start,
        0.5,
    )


def save_judges(judges: dict[str, Judge], thresholds: Mapping[str, float], path: Path) -> None:
    """Write what `edge.library.judge` reads; a judge without a threshold of its own gets the bank's."""
    arrays: dict[str, Any] = {}
    for name, judge in judges.items():
        arrays |= {f"{name}.{field}": getattr(judge, field) for field in FIELDS}
        arrays[f"{name}.numbers"] = np.array([judge.start, thresholds.get(name, thresholds["bank"])])
    np.savez_compressed(path, **arrays)
