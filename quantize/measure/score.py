"""Compare what two files of one model expect after every token: Kullback-Leibler divergence and its kin.

Both read the same windows through the engine that ships. Sums are in 64 bits; never
more than one block of rows is held. Divergence is in nats, D(parent || model), as
llama.cpp's `perplexity --kl-divergence` has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.onnx.opening import Loaded
from quantize.measure import bootstrap
from quantize.measure.bootstrap import Numbers
from quantize.measure.windows import Window
from quantize.recipe import RecipeError

WORST = 0.999
"""The divergence that all but one token in a thousand stay below."""

Record = Callable[[Numbers], None]


@dataclass(frozen=True, slots=True)
class Distances:
    """One language: a value for every token that had to be guessed, [n] each."""

    divergence: Numbers
    agree: Numbers
    """1 where both find the same token likeliest, else 0."""

    parent_nats: Numbers | None
    """How surprised the parent was by the token that came; None where only its reference is here."""

    model_nats: Numbers
    text: NDArray[np.int64]
    bytes: int
    """What these tokens write, in UTF-8."""


class Table:
    """Collects the blocks of one language."""

    def __init__(self) -> None:
        self._divergence: list[Numbers] = []
        self._agree: list[Numbers] = []
        self._parent_nats: list[Numbers] = []
        self._model_nats: list[Numbers] = []
        self._text: list[NDArray[np.int64]] = []
        self._bytes = 0

    def add(self, divergence: Numbers, agree: NDArray[np.bool_], ours: Numbers, came: NDArray[np.int64]) -> None:
        """Take in a block: what was found of each row, what the model expected, and the tokens that came."""
        self._divergence.append(divergence)
        self._agree.append(agree.astype(np.float64))
        self._model_nats.append(_surprise(ours, came))

    def add_parent(self, theirs: Numbers, came: NDArray[np.int64]) -> None:
        """Take in what the parent expected of the same rows."""
        self._parent_nats.append(_surprise(theirs, came))

    def close(self, window: Window, model: Loaded) -> None:
        """Note that a window is finished, and what it writes."""
        self._text.append(np.full(len(window.tokens) - 1, window.text, dtype=np.int64))
        self._bytes += len(model.bytes_of(window.tokens[1:]))

    def distances(self) -> Distances:
        """Return everything that was collected."""
        return Distances(
            np.maximum(np.concatenate(self._divergence), 0.0),  # a rounding error below nothing is nothing
            np.concatenate(self._agree),
            np.concatenate(self._parent_nats) if self._parent_nats else None,
            np.concatenate(self._model_nats),
            np.concatenate(self._text),
            self._bytes,
        )


def following(window: Window, at: int, rows: int) -> NDArray[np.int64]:
    """Return the tokens that came after each of the `rows` from `at` on."""
    return np.array(window.tokens[at + 1 : at + 1 + rows], dtype=np.int64)


def _surprise(expected: Numbers, came: NDArray[np.int64]) -> Numbers:
    surprise: Numbers = -expected[np.arange(len(came)), came]
    return surprise


def log_softmax(rows: NDArray[np.floating[Any]]) -> Numbers:
    """Return the logarithms of the chances [rows, vocabulary], in 64 bits."""
    wide = rows.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=1, keepdims=True))
    return wide


def expectations(engine: Loaded, window: Window) -> Iterator[Numbers]:
    """Yield what the engine expects after each token of the window but the last: log chances, block by block."""
    for rows in engine.scores_of(window.tokens[:-1]):
        if not np.isfinite(rows).all():
            raise RecipeError("measure-not-finite", model=engine.name)
        yield log_softmax(rows)


def compare(
    parent: Loaded, model: Loaded, windows: Sequence[Window], record: Record = lambda _: None
) -> dict[str, Distances]:
    """Measure `model` against `parent`, by language; `record` sees every block of what the parent expects."""
    refuse_other_words(parent, model)
    tables: dict[str, Table] = {}
    for window in windows:
        table = tables.setdefault(window.lang, Table())
        at = 0
        blocks = zip(expectations(parent, window), expectations(model, window), strict=True)
        for theirs, ours in blocks:
            record(theirs)
            came = following(window, at, len(ours))
            divergence = (np.exp(theirs) * (theirs - ours)).sum(axis=1)
            table.add(divergence, theirs.argmax(axis=1) == ours.argmax(axis=1), ours, came)
            table.add_parent(theirs, came)
            at += len(ours)
        table.close(window, model)
    return {lang: table.distances() for lang, table in tables.items()}


def refuse_other_words(parent: Loaded, model: Loaded) -> None:
    """Raise RecipeError when the two do not read and write the same tokens."""
    battery = "¿Cuánto es 2 + 3,5? A cigüeña não comeu; mbaʼéichapa, ñandúpe g̃uarã. 😀"
    theirs, ours = parent.vocabulary_size, model.vocabulary_size
    if theirs != ours or parent.tokens_of(battery) != model.tokens_of(battery):
        raise RecipeError("measure-vocabulary", parent=parent.name, model=model.name, theirs=theirs, ours=ours)


def summary(distances: Mapping[str, Distances], resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return every figure of every language, most as [value, low, high]."""
    return {lang: _summary(found, resamples, seed) for lang, found in distances.items()}


def _summary(found: Distances, resamples: int, seed: int) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "tokens": len(found.divergence),
        "texts": int(found.text.max()) + 1,
        "bytes": found.bytes,
        "kld": bootstrap.mean(found.divergence, found.text, resamples, seed).rounded(8),
        "kld_999": bootstrap.quantile(found.divergence, found.text, WORST, resamples, seed).rounded(8),
        "top1": bootstrap.mean(found.agree, found.text, resamples, seed).rounded(),
        "perplexity": _perplexity(found.model_nats),
        "bits_per_byte": _bits_per_byte(found.model_nats, found.bytes),
    }
    if found.parent_nats is not None:
        rows["parent_perplexity"] = _perplexity(found.parent_nats)
        rows["parent_bits_per_byte"] = _bits_per_byte(found.parent_nats, found.bytes)
        rows["surprise_added"] = bootstrap.mean(
            found.model_nats - found.parent_nats, found.text, resamples, seed
        ).rounded()
    return rows


def _perplexity(nats: Numbers) -> float:
    return round(math.exp(min(float(nats.mean()), 700.0)), 4)


def _bits_per_byte(nats: Numbers, size: int) -> float:
    return round(float(nats.sum()) / math.log(2) / max(1, size), 4)
