"""Hold a written file against what the quantizer promised: the same bytes, and the scores they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.bits.ggml import kind_of, pack, unpack
from quantize.bits.kld import kld, reading
from quantize.bits.parent import read_parent
from quantize.bits.words import Windows


@dataclass(frozen=True, slots=True)
class Promise:
    """How llama.cpp's scores differ from those that torch computes with the file's weights in 32 bits.

    What is left is llama.cpp's own arithmetic: it rounds activations to 8 bits for each product.
    """

    largest: float
    mean: float
    spread: float
    """How much scores differ from one another (standard deviation), to compare with."""

    kld: float
    """Nats per token."""

    tokens: int


def promise(folder: Path, gguf: Path, quantized: Path, windows: Windows, threads: int = 1) -> Promise:
    """Compare the scores of `quantized` in llama.cpp with torch's, over windows of tokens [windows, window].

    `folder` and `gguf` are the full model that `quantized` was made from.
    """
    import torch

    from quantize.bits import twins

    model = twins.load_model(folder)
    parameters = dict(model.named_parameters())
    made = read_parent(quantized)
    tensors = {tensor.name: tensor for tensor in made.tensors}
    for pair in twins.pairs_of(model, read_parent(gguf)):
        pair.put(parameters[pair.parameter], made.unpacked(tensors[pair.tensor.name]))
    largest, total, scores, divergences = 0.0, 0.0, [], []
    with reading(quantized, windows.shape[1], threads) as read, torch.no_grad():
        for window in windows:
            promised = model(input_ids=torch.from_numpy(window[None])).logits[0].float().numpy()
            said = read(window)
            gap = np.abs(promised[:, : said.shape[1]] - said)
            largest, total = max(largest, float(gap.max())), total + float(gap.mean())
            scores.append(float(said.std()))
            divergences.append(kld(promised[:, : said.shape[1]], said))
    every = np.concatenate(divergences)
    return Promise(largest, total / len(windows), float(np.mean(scores)), float(every.mean()), len(every))


def differing(gguf: Path, quantized: Path, imatrix: Mapping[str, NDArray[np.float32]], threads: int = 1) -> list[str]:
    """Return the tensors of `quantized` that are not, byte for byte, what ggml makes of the parent's."""
    parent, made = read_parent(gguf), read_parent(quantized)
    tensors = {tensor.name: tensor for tensor in made.tensors}
    found = []
    for tensor in parent.tensors:
        other = tensors[tensor.name]
        wanted = parent.packed(tensor)
        if other.kind != tensor.kind:
            values = unpack(wanted, kind_of(tensor.kind), tensor.columns)
            wanted = pack(values, kind_of(other.kind), imatrix.get(tensor.name), threads)
        if not np.array_equal(wanted, made.packed(other)):
            found.append(tensor.name)
    return found
