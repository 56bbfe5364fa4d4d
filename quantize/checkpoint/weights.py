"""Read safetensors files without any library, and refuse what is not whole or not finite.

The header is checked against the file's own size before anything of it is believed.
Numbers are read once, in blocks: the same pass finds a NaN and makes the hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.recipe import RecipeError

BLOCK_BYTES = 1 << 22
"""Read at once; a multiple of every width."""

MOST_HEADER_BYTES = 100_000_000
WIDTHS = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
"""Bytes of one number, for each type."""

FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
BF16_EXPONENT = 0x7F80
"""All of these bits set: not a finite number."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor lies in its file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    """Bytes from the beginning of the file."""

    end: int

    @property
    def numbers(self) -> int:
        """Return how many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Weights:
    """What a set of weight files holds."""

    parameters: int
    sha256: str
    """Of all files, one after the other, in the order of their names."""


def check_weights(paths: Sequence[Path]) -> Weights:
    """Read every file to its end; raise RecipeError for the first that is cut short or holds a NaN."""
    digest = hashlib.sha256()
    parameters = 0
    for path in sorted(paths, key=lambda p: p.name):
        tensors = read_header(path)
        parameters += sum(tensor.numbers for tensor in tensors)
        _read_through(path, tensors, digest)
    return Weights(parameters, digest.hexdigest())


def read_header(path: Path) -> list[Tensor]:
    """Return the tensors of a file in the order they lie in it; raise RecipeError when it is not whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > MOST_HEADER_BYTES or 8 + length > size:
            raise RecipeError("checkpoint-truncated", path=path, size=size, wanted=8 + min(length, MOST_HEADER_BYTES))
        raw = file.read(length)
    try:
        rows = json.loads(raw)
        found = [_tensor(name, row, 8 + length) for name, row in rows.items() if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecipeError("checkpoint-header", path=path, reason=str(error)[:120]) from error
    tensors = sorted(found, key=lambda tensor: tensor.start)
    at = 8 + length
    for tensor in tensors:
        if tensor.start != at or tensor.end - tensor.start != tensor.numbers * WIDTHS[tensor.dtype]:
            raise RecipeError("checkpoint-header", path=path, reason=f"{tensor.name}: {tensor.start}-{tensor.end}")
        at = tensor.end
    if at != size:
        raise RecipeError("checkpoint-truncated", path=path, size=size, wanted=at)
    return tensors


def _tensor(name: str, row: Any, base: int) -> Tensor:
    start, end = row["data_offsets"]
    if row["dtype"] not in WIDTHS or any(type(side) is not int or side < 0 for side in (start, end, *row["shape"])):
        raise ValueError(f"{name}: {row['dtype']} {row['shape']}")
    return Tensor(name, row["dtype"], tuple(row["shape"]), base + start, base + end)


def _read_through(path: Path, tensors: Sequence[Tensor], digest: hashlib._Hash) -> None:
    with path.open("rb") as file:
        digest.update(file.read(tensors[0].start if tensors else path.stat().st_size))
        for tensor in tensors:
            left = tensor.end - tensor.start
            while left:
                block = file.read(min(left, BLOCK_BYTES))
                if not block:  # somebody is changing the file under our hands
                    raise RecipeError("checkpoint-truncated", path=path, size=tensor.end - left, wanted=tensor.end)
                digest.update(block)
                if not _finite(block, tensor.dtype):
                    raise RecipeError("checkpoint-nan", path=path, tensor=tensor.name)
                left -= len(block)


def _finite(block: bytes, dtype: str) -> bool:
    if dtype == "BF16":
        bits: NDArray[np.uint16] = np.frombuffer(block, "<u2")
        return not bool(((bits & BF16_EXPONENT) == BF16_EXPONENT).any())
    if dtype in FLOATS:
        numbers: NDArray[np.floating[Any]] = np.frombuffer(block, FLOATS[dtype])
        return bool(np.isfinite(numbers).all())
    return True
