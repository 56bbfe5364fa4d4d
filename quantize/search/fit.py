"""Fit the judgements: which bank entry answers, which passage, and when nothing does.

Cross-validated by question, with libraries and vectors that had not seen the fold's questions either.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from edge.library.judge import Judge
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
    """Fit on all groups; what is said of each comes from networks that did not see its fold."""
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
    features = np.concatenate([g.features for g in groups if len(g.features)])
    right = torch.from_numpy(np.concatenate([g.right for g in groups if len(g.right)]))
    mean, spread = features.mean(0), features.std(0) + 1e-3
    scaled = torch.from_numpy(((features - mean) / spread).astype(np.float32))
    networks = []
    for number in range(table.networks):
        torch.manual_seed(seed + number)
        network = nn.Sequential(nn.Linear(scaled.shape[1], table.hidden), nn.Tanh(), nn.Linear(table.hidden, 1))
        optimizer = torch.optim.AdamW(network.parameters(), lr=table.rate, weight_decay=table.weight_decay)
        for _ in range(table.fit_steps):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(network(scaled).squeeze(-1), right)
            loss.backward()
            optimizer.step()
        networks.append(_numbers(network))
    return Judge(mean.astype(np.float32), spread.astype(np.float32), tuple(networks), 0.5)


def _numbers(network: nn.Sequential) -> tuple[Floats, Floats, Floats, float]:
    hidden, bias, output, last = (p.detach().numpy() for p in network.parameters())
    return hidden, bias, output[0], float(last[0])


def as_json(judge: Judge, threshold: float) -> dict[str, Any]:
    """Return a judgement as `edge.library.judge` reads it."""

    def rows(values: Floats) -> Any:
        return np.round(values.astype(np.float64), 5).tolist()

    return {
        "mean": rows(judge.mean),
        "spread": rows(judge.spread),
        "networks": [[rows(h), rows(b), rows(o), round(last, 5)] for h, b, o, last in judge.networks],
        "threshold": round(threshold, 5),
    }
