"""How far what a quantized file says is from what its parent says, through llama.cpp itself."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.gguf import read_head
from edge.tutor.llama_library import load_library
from quantize.bits.ggml import BitsError
from quantize.bits.words import Windows

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
    p, q = _log_softmax(reference), _log_softmax(other)
    each: NDArray[np.float64] = np.maximum((np.exp(p) * (p - q)).sum(1), 0.0)
    return each


def _log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = scores.astype(np.float64)
    wide -= wide.max(1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(1, keepdims=True))
    return wide


@contextmanager
def reading(gguf: Path, window: int, threads: int = 1) -> Iterator[Any]:
    """Open a model; yield a function from the tokens of a window to the scores [tokens, words] that follow each."""
    if window > MOST_WINDOW:
        raise BitsError("bits-window", window=window, most=MOST_WINDOW)
    read_head(gguf)
    library = load_library()
    api = library.api
    params = api.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = library.extra_layouts
    model = api.llama_model_load_from_file(os.fsencode(gguf), params)
    if not model:
        raise BitsError("bits-vocabulary", path=gguf, reason="; ".join(library.complaints) or "-")
    settings = api.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = window
    settings.n_threads = settings.n_threads_batch = threads
    context = api.llama_init_from_model(model, settings)
    words = int(api.llama_vocab_n_tokens(api.llama_model_get_vocab(model)))
    batch = api.llama_batch_init(window, 0, 1)

    def read(tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        api.llama_memory_clear(api.llama_get_memory(context), True)
        batch.n_tokens = len(tokens)
        for at, token in enumerate(tokens):
            batch.token[at], batch.pos[at], batch.n_seq_id[at], batch.logits[at] = int(token), at, 1, 1
            batch.seq_id[at][0] = 0
        if api.llama_decode(context, batch) != 0:
            raise BitsError("bits-failed", path=gguf, reason="; ".join(library.complaints) or "-")
        scores = ctypes.cast(api.llama_get_logits(context), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(scores, shape=(len(tokens), words)).copy()

    try:
        yield read
    finally:
        api.llama_batch_free(batch)
        api.llama_free(context)
        api.llama_model_free(model)
