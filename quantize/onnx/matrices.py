"""Matrices of a GGUF file as onnxruntime's MatMulNBits wants them: blocks of 32 numbers of 8 or 4 bits with one scale.

Q8_0 and Q4_0 are such blocks already: their numbers are only laid out anew, to the bit. Everything else is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.onnx.blocks import BLOCK, Bits, round_columns

HALF, LARGEST = 128, 127
"""What stands for zero in 8 bits, and the most that is added to it."""

LEVELS4, MIDDLE4 = 16, 8
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of `rows` outputs, each of blocks of inputs."""

    bits: Bits
    levels: NDArray[np.uint8]
    """[rows, blocks, bytes of a block]."""

    scales: Floats
    """[rows, blocks]."""

    zeros: NDArray[np.uint8] | None
    """What level stands for zero, [rows, bytes]; the middle where there is none."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns."""
        return len(self.scales), self.scales.shape[1] * BLOCK


def numbers(tensor: Any) -> Floats:
    """Return an open GGUF tensor in 32 bits."""
    from gguf.quants import dequantize

    return np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)


def matrix(tensor: Any, bits: Bits) -> Matrix:
    """Return an open GGUF tensor [rows, columns] in blocks."""
    from gguf import GGMLQuantizationType as Type

    if tensor.tensor_type == Type.Q8_0 and bits == 8:
        blocks = tensor.data.reshape(len(tensor.data), -1, 2 + BLOCK)
        levels = (blocks[..., 2:].view(np.int8).astype(np.int16) + HALF).astype(np.uint8)
        return Matrix(8, levels, _halves(blocks), None)
    if tensor.tensor_type == Type.Q4_0:
        blocks = tensor.data.reshape(len(tensor.data), -1, 2 + BLOCK // 2)
        packed = blocks[..., 2:]
        # ggml keeps the first half of a block in the low bits; onnxruntime keeps neighbours together.
        levels = np.concatenate([packed & 15, packed >> 4], axis=2)
        if bits == 8:
            return Matrix(8, levels + np.uint8(HALF - MIDDLE4), _halves(blocks), None)
        return Matrix(4, levels[..., 0::2] | (levels[..., 1::2] << 4), _halves(blocks), None)
    return rounded(numbers(tensor), bits)


def rounded(weights: Floats, bits: Bits) -> Matrix:
    """Round a matrix [rows, columns] to blocks: 8 bits around zero, 4 bits between the least and the largest of a block."""
    if bits == 4:
        levels, scales, zeros = round_columns(np.ascontiguousarray(weights.T), 4, BLOCK)
        return Matrix(4, levels, scales, zeros)
    parts = weights.reshape(len(weights), -1, BLOCK)
    scales = (np.abs(parts).max(axis=2) / LARGEST).astype(np.float32)
    steps = np.divide(parts, scales[..., None], out=np.zeros_like(parts), where=scales[..., None] > 0)
    return Matrix(8, (np.rint(steps) + HALF).astype(np.uint8), scales, None)


def stacked(parts: Sequence[Matrix]) -> Matrix:
    """Put the rows of several matrices under one another, so that one product computes them all."""
    bits, (_, blocks) = parts[0].bits, parts[0].scales.shape
    middle = np.uint8(MIDDLE4 * (LEVELS4 + 1) if bits == 4 else HALF)
    width = -(-blocks * bits // 8)
    zeros = None
    if any(part.zeros is not None for part in parts):
        every = [np.full((len(p.scales), width), middle) if p.zeros is None else p.zeros for p in parts]
        zeros = np.concatenate(every)
    levels, scales = np.concatenate([p.levels for p in parts]), np.concatenate([p.scales for p in parts])
    return Matrix(bits, levels, scales, zeros)


def _halves(blocks: NDArray[np.uint8]) -> Floats:
    """Return the 16-bit scale that each block begins with."""
    return np.ascontiguousarray(blocks[..., :2]).view(np.float16)[..., 0].astype(np.float32)
