"""Every tensor quantized for real to every type that is tried, kept on disk, and what each changes.

A candidate is packed once; a run that was cut off finds the finished ones again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from quantize.bits.ggml import Kind, pack, unpack
from quantize.bits.parent import EMBEDDING, Parent, Tensor, fitting

FLOOR = 1e-5
"""The least importance of a column, in shares of the mean: a column that calibration never used still counts a little."""

Matrices = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one parent file, with the importance they were packed with."""

    parent: Parent
    imatrix: Matrices
    types: tuple[str, ...]
    folder: Path
    threads: int

    def kinds_for(self, tensor: Tensor) -> tuple[Kind, ...]:
        """Return the types that fit this tensor; without importance, not those that need it."""
        known = tensor.name in self.imatrix
        return tuple(kind for kind in fitting(self.types, tensor.columns) if known or not kind.needs_importance)

    def importance(self, tensor: Tensor) -> NDArray[np.float32] | None:
        """Return the weights of the columns, or None where none were measured."""
        return self.imatrix.get(tensor.name)

    def change(self, tensor: Tensor, kind: Kind, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the type changes in the tensor's `values` [rows, columns]."""
        return unpack(self._packed(tensor, kind, values), kind, tensor.columns, self.threads) - values

    def _packed(self, tensor: Tensor, kind: Kind, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        path = self.folder / f"{tensor.name}.{kind.name}"
        wanted = (tensor.rows, kind.row_bytes(tensor.columns))
        if path.is_file() and path.stat().st_size == wanted[0] * wanted[1]:
            return np.fromfile(path, dtype=np.uint8).reshape(wanted)
        packed = pack(values, kind, self.importance(tensor), self.threads)
        write_atomic(path, packed.tobytes())
        return packed


def usable(imatrix: Matrices, parent: Parent) -> dict[str, NDArray[np.float32]]:
    """Return the importance as ggml may have it: finite, positive, one weight for each column."""
    columns = {tensor.name: tensor.columns for tensor in parent.plannable}
    kept = {}
    for name, weights in imatrix.items():
        if columns.get(name) == weights.size and np.isfinite(weights).all() and weights.max(initial=0) > 0:
            kept[name] = np.maximum(weights, FLOOR * weights.mean()).astype(np.float32)
    return kept


def weighted_error(change: NDArray[np.float32], importance: NDArray[np.float32] | None) -> float:
    """Return the squared change, weighed by the importance of its columns."""
    weights = np.ones(change.shape[1], dtype=np.float32) if importance is None else importance
    return float(np.einsum("ij,ij,j->", change, change, weights, dtype=np.float64))


def mark_of(*parts: object) -> str:
    """Return a short name for exactly these inputs, so that what another run left is not taken for ours."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def seen_by_output(parent: Parent, tensor: Tensor) -> bool:
    """Tell whether a tensor multiplies activations: an embedding that is not the output is only looked up."""
    return tensor.name != EMBEDDING or parent.tied
