"""Fit the last judge, which says whether a question is answered here at all, and choose the thresholds.

It weighs the best bank answer, the best reading and how the question stands among known
ones. All of it comes from judges and libraries that never met the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.library.judge import Judge
from edge.library.outlook import Outlook, verdict_features
from edge.tutor.decide import SURE
from quantize.search.fit import Group, figures_of, fit, threshold_for
from quantize.search.settings import PupilQuestion, SearchTable


def decide(
    questions: Sequence[PupilQuestion],
    outlooks: Sequence[Outlook | None],
    said: Mapping[str, Path],
    table: SearchTable,
    seed: int,
) -> tuple[Judge, dict[str, float], dict[str, dict[str, float]]]:
    """Return the last judge, the thresholds with and without it, and the cross-validated figures.

    `said` names the files with what each judge said of each question: `best` and `good`, shape (questions,).
    """
    found: dict[str, dict[str, npt.NDArray[Any]]] = {name: dict(np.load(path)) for name, path in said.items()}
    bank, read = found["bank"], found["read"]
    kinds = [question.kind for question in questions]
    answerable = np.array([bool(question.lesson) for question in questions])
    plain = np.maximum(bank["best"], read["best"])
    good = np.where(bank["best"] >= read["best"], bank["good"], read["good"]).astype(np.bool_)
    verdict = fit(_groups(questions, outlooks, bank["best"], read["best"]), _small(table), seed)
    # A bank answer that is sure is shown at once, on a device too.
    judged = np.where(bank["best"] >= SURE, 1.0, verdict.best)
    thresholds = {"bank": threshold_for(plain, kinds, table), "verdict": threshold_for(judged, kinds, table)}
    figures = {
        name: figures_of(one["best"], one["good"], answerable, thresholds["bank"]) for name, one in found.items()
    }
    figures["without known gaps"] = figures_of(plain, good, answerable, thresholds["bank"])
    figures["together"] = figures_of(judged, good, answerable, thresholds["verdict"])
    return verdict.judge, thresholds, figures


def _small(table: SearchTable) -> SearchTable:
    return replace(table, trees=table.verdict_trees, leaves=table.verdict_leaves)


def _groups(
    questions: Sequence[PupilQuestion],
    outlooks: Sequence[Outlook | None],
    bank: npt.NDArray[np.float64],
    read: npt.NDArray[np.float64],
) -> list[Group]:
    """Return each question as a group of one candidate; without an outlook it has none."""
    groups = []
    for question, seen, bank_fit, read_fit in zip(questions, outlooks, bank, read, strict=True):
        rows = [verdict_features(float(bank_fit), float(read_fit), seen)] if seen is not None else []
        answerable = bool(question.lesson)
        right = np.full(len(rows), float(answerable), dtype=np.float32)
        features = np.array(rows, dtype=np.float32)
        groups.append(Group(question.text, answerable, features, right, right > 0))
    return groups
