"""The sizes of a Llama-shaped network in a GGUF file, its positions, and its vocabulary as a GGUF file without weights."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.gguf import GgufHead, read_head
from quantize.recipe import RecipeError

INTERLEAVED = {"llama": True, "qwen2": False}
"""The families that can be written, and whether neighbours (not halves) of a head turn together."""

MOST_POSITIONS = 4096
"""A table of angles for so many tokens is in the file; devices read 2,048 by default."""

HEADER = struct.Struct("<4sIQQ")
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """A network's sizes."""

    family: str
    layers: int
    heads: int
    key_heads: int
    head_size: int
    feed_forward: int
    context: int
    epsilon: float
    theta: float
    stretch: float
    """Positions are divided by this (linear rope scaling)."""


def read_shape(path: Path) -> Shape:
    """Return the sizes; raise RecipeError when the network is not one that can be written, ModelError for damaged files."""
    head = read_head(path)
    family = head.architecture
    if family not in INTERLEAVED:
        raise RecipeError("onnx-family", family=family, task="text-generation", families=", ".join(INTERLEAVED))
    heads = int(_number(head, path, "attention.head_count"))
    head_size = int(_number(head, path, "attention.key_length", _number(head, path, "embedding_length") // heads))
    scaling = head.fields.get(f"{family}.rope.scaling.type", "none")
    if scaling not in ("none", "linear") or _number(head, path, "rope.dimension_count", head_size) != head_size:
        raise RecipeError("onnx-failed", path=path, reason=f"rope: {scaling}")
    return Shape(
        family=family,
        layers=int(_number(head, path, "block_count")),
        heads=heads,
        key_heads=int(_number(head, path, "attention.head_count_kv", heads)),
        head_size=head_size,
        feed_forward=int(_number(head, path, "feed_forward_length")),
        context=min(head.context or MOST_POSITIONS, MOST_POSITIONS),
        epsilon=float(_number(head, path, "attention.layer_norm_rms_epsilon")),
        theta=float(_number(head, path, "rope.freq_base", 10_000.0)),
        stretch=float(_number(head, path, "rope.scaling.factor", 1.0)) if scaling == "linear" else 1.0,
    )


def angles(shape: Shape, factors: Floats | None) -> tuple[Floats, Floats]:
    """Return cosines and sines of every position, [context, half a head]; `factors` slow down single pairs (Llama 3)."""
    turns = shape.theta ** -(np.arange(0, shape.head_size, 2, dtype=np.float64) / shape.head_size)
    if factors is not None:
        turns = turns / factors
    found = np.outer(np.arange(shape.context) / shape.stretch, turns)
    return np.cos(found).astype(np.float32), np.sin(found).astype(np.float32)


def vocabulary_of(path: Path, reader: Any) -> bytes:
    """Return the head of an open GGUF file as a GGUF file of its own: everything it says, and no weights."""
    end = max(int(field.offset) + sum(int(part.nbytes) for part in field.parts) for field in reader.fields.values())
    with path.open("rb") as file:
        content = file.read(end)
    magic, version, _, fields = HEADER.unpack_from(content)
    return HEADER.pack(magic, version, 0, fields) + content[HEADER.size :]


def _number(head: GgufHead, path: Path, name: str, usual: float | None = None) -> float:
    found = head.fields.get(f"{head.architecture}.{name}", usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        raise RecipeError("onnx-failed", path=path, reason=f"{head.architecture}.{name}")
    return found
