"""The parent's expectations in a few megabytes: the k likeliest tokens of every position, and a sample of the rest.

With this file any laptop measures a quantized model against its parent without having
the parent. The divergence is exact over the k likeliest tokens and the rest as a whole;
what differs inside the rest is estimated from a few tokens drawn from it, without bias and
never below 0: the mean of r - 1 - log r, r the ratio of the chances (Schulman 2020,
"Approximating KL divergence"). The scores of the likeliest are kept in 16 bits and
weighed anew when read, so that their rounding counts only in second order.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from edge.onnx.opening import Loaded
from quantize.measure.bootstrap import Numbers
from quantize.measure.score import Distances, Table, expectations, following
from quantize.measure.windows import Window, start_of
from quantize.recipe import RecipeError

FORMAT = 1
PARTS = ("facts", "langs", "texts", "lengths", "tokens", "ids", "scores", "rest", "drawn", "drawn_scores")
DRAWN = 4
"""Tokens drawn from the rest at every position."""

NOTHING = 1e-30


@dataclass(frozen=True, slots=True)
class Reference:
    """What the parent expects after every token of the windows."""

    facts: Mapping[str, Any]
    """The parent's name and SHA-256, that of the texts, k, the size of the vocabulary."""

    windows: tuple[Window, ...]
    ids: NDArray[np.int64]
    """The likeliest tokens [n, k], likeliest first; n counts the positions of all windows."""

    scores: Numbers
    """The logarithms of their chances [n, k]."""

    rest: Numbers
    """The logarithm of what all other tokens have together [n]."""

    drawn: NDArray[np.int64]
    """Tokens drawn from the others, by their chances [n, DRAWN]."""

    drawn_scores: Numbers
    """The logarithms of their chances among the others [n, DRAWN]."""


class Recorder:
    """Keeps what matters of each block it is shown (`compare` shows it the parent's); draws by `seed`."""

    def __init__(self, top_k: int, seed: int = 1) -> None:
        self.top_k = top_k
        self._random = np.random.default_rng(seed)
        self._kept: dict[str, list[NDArray[Any]]] = {}

    def __call__(self, block: Numbers) -> None:
        """Keep what matters of log chances [rows, vocabulary]."""
        width = block.shape[1]
        k = min(self.top_k, width)
        ids = np.argpartition(-block, k - 1, axis=1)[:, :k]
        scores = np.take_along_axis(block, ids, axis=1)
        # Equal scores keep the order of their numbers, as argmax has it.
        order = np.lexsort((ids, -scores), axis=1)
        ids, scores = np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)
        rest, summed = _rest_of(block, ids)
        wanted = self._random.random((len(block), DRAWN)) * summed[:, -1:]
        places = [np.searchsorted(sums, row, side="right") for sums, row in zip(summed, wanted, strict=True)]
        drawn = np.minimum(np.stack(places), width - 1)
        small = np.uint16 if width <= 1 << 16 else np.uint32
        parts = {
            "ids": ids.astype(small),
            "scores": scores.astype(np.float16),
            "rest": rest.astype(np.float32),
            "drawn": drawn.astype(small),
            "drawn_scores": (np.take_along_axis(block, drawn, axis=1) - rest[:, None]).astype(np.float32),
        }
        for name, part in parts.items():
            self._kept.setdefault(name, []).append(part)

    def write(self, path: Path, windows: Sequence[Window], facts: Mapping[str, Any]) -> None:
        """Write the file; the same content gives the same bytes."""
        content: dict[str, Any] = {
            "facts": np.frombuffer(json.dumps({"format": FORMAT, **facts}, sort_keys=True).encode(), dtype=np.uint8),
            "langs": np.array([window.lang for window in windows], dtype="U3"),
            "texts": np.array([window.text for window in windows], dtype=np.int32),
            "lengths": np.array([len(window.tokens) for window in windows], dtype=np.int32),
            "tokens": np.concatenate([np.array(window.tokens, dtype=np.int32) for window in windows]),
            **{name: np.concatenate(parts) for name, parts in self._kept.items()},
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **content)
        write_atomic(path, buffer.getvalue())


def read(path: Path) -> Reference:
    """Read a reference file; raise RecipeError when it is none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            part = {name: found[name] for name in PARTS}
        facts = json.loads(part["facts"].tobytes())
        reference = _reference(facts, part)
    except OSError as error:
        raise RecipeError("measure-unreadable", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise RecipeError("measure-reference", path=path, reason=str(error)[:200]) from error
    return reference


def _reference(facts: Mapping[str, Any], part: Mapping[str, NDArray[Any]]) -> Reference:
    lengths = part["lengths"].astype(int)
    positions = int((lengths - 1).sum())
    ids, scores = part["ids"].astype(np.int64), part["scores"].astype(np.float64)
    rest = part["rest"].astype(np.float64)
    drawn, drawn_scores = part["drawn"].astype(np.int64), part["drawn_scores"].astype(np.float64)
    whole = ids.shape == scores.shape and drawn.shape == drawn_scores.shape == (len(rest), DRAWN)
    whole = whole and len(ids) == len(rest) == positions and lengths.sum() == len(part["tokens"])
    if facts.get("format") != FORMAT or not whole or not positions:
        raise ValueError(f"format {facts.get('format')}, {ids.shape}, {positions}")
    total = np.log(np.exp(scores).sum(axis=1) + np.exp(rest))
    pieces = np.split(part["tokens"], np.cumsum(lengths)[:-1])
    rows = zip(part["langs"], part["texts"], pieces, strict=True)
    windows = tuple(Window(str(lang), int(text), tuple(int(t) for t in piece)) for lang, text, piece in rows)
    return Reference(facts, windows, ids, scores - total[:, None], rest - total, drawn, drawn_scores)


def distances(reference: Reference, model: Loaded) -> dict[str, Distances]:
    """Measure `model` against the reference, by language; the parent's surprise is not known here."""
    start = start_of(model)
    first = reference.windows[0].tokens[: len(start)]
    if model.vocabulary_size != reference.facts["vocabulary"] or first != start:
        raise RecipeError(
            "measure-vocabulary",
            parent=str(reference.facts["parent"]),
            model=model.name,
            theirs=int(reference.facts["vocabulary"]),
            ours=model.vocabulary_size,
        )
    tables: dict[str, Table] = {}
    place = 0
    for window in reference.windows:
        table = tables.setdefault(window.lang, Table())
        at = 0
        for ours in expectations(model, window):
            here = slice(place, place + len(ours))
            agree = reference.ids[here, 0] == ours.argmax(axis=1)
            table.add(_divergence(reference, here, ours), agree, ours, following(window, at, len(ours)))
            at += len(ours)
            place += len(ours)
        table.close(window, model)
    return {lang: table.distances() for lang, table in tables.items()}


def _divergence(reference: Reference, here: slice, ours: Numbers) -> Numbers:
    ids, theirs, rest = reference.ids[here], reference.scores[here], reference.rest[here]
    my_rest, _ = _rest_of(ours, ids)
    mine = np.take_along_axis(ours, ids, axis=1)
    among_mine = np.take_along_axis(ours, reference.drawn[here], axis=1) - my_rest[:, None]
    ratio = np.clip(among_mine - reference.drawn_scores[here], -30.0, 30.0)
    inside = (np.exp(ratio) - 1 - ratio).mean(axis=1)
    found: Numbers = (np.exp(theirs) * (theirs - mine)).sum(axis=1) + np.exp(rest) * (rest - my_rest + inside)
    return found


def _rest_of(block: Numbers, ids: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Return the log chance [rows] of all tokens but `ids`, and their running sums [rows, vocabulary].

    Summed from the others themselves: 1 - sum(likeliest) would lose a small rest in rounding.
    """
    others = np.exp(block)
    np.put_along_axis(others, ids, 0.0, axis=1)
    summed = np.cumsum(others, axis=1)
    return np.log(np.maximum(summed[:, -1], NOTHING)), summed
