"""How far what a quantized file says is from what its parent says, through llama.cpp itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.tutor.llama import LlamaEngine
from quantize.bits.ggml import BitsError
from quantize.bits.words import Windows
from quantize.measure.score import log_softmax

MOST_WINDOW = 256
"""Tokens that are read at once."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """Kullback-Leibler divergence of the next token, in nats, over all tokens."""

    mean: float
    p999: float
    """What one token in a thousand exceeds."""

    top1: float
    """How often both would choose the same token."""

    tokens: int


def divergence(parent: Path, quantized: Path, windows: Windows, threads: int = 1) -> Divergence:
    """Compare two files on the same windows of tokens [windows, window]; each window is read from its start."""
    found, same = [], 0
    with reading(parent, windows.shape[1], threads) as ours, reading(quantized, windows.shape[1], threads) as theirs:
        for window in windows:
            one, other = ours(window), theirs(window)
            found.append(kld(one, other))
            same += int((one.argmax(1) == other.argmax(1)).sum())
    every = np.concatenate(found)
    return Divergence(float(every.mean()), float(np.quantile(every, 0.999)), same / len(every), len(every))


def kld(reference: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the divergence of each row of scores [tokens, words] from the reference."""
    p, q = log_softmax(reference), log_softmax(other)
    each: NDArray[np.float64] = np.maximum((np.exp(p) * (p - q)).sum(1), 0.0)
    return each


@contextmanager
def reading(gguf: Path, window: int, threads: int = 1) -> Iterator[Callable[[NDArray[np.int64]], NDArray[np.float32]]]:
    """Open a model; yield a function from the tokens of a window to the scores [tokens, words] that follow each."""
    if window > MOST_WINDOW:
        raise BitsError("bits-window", window=window, most=MOST_WINDOW)
    with LlamaEngine.open(gguf, context_tokens=window, threads=threads) as engine:

        def read(tokens: NDArray[np.int64]) -> NDArray[np.float32]:
            return np.concatenate(list(engine.scores_of(tokens.tolist())))

        yield read
