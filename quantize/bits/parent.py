"""The 16-bit GGUF file that everything is measured against: its tensors, facts and exact sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.gguf import read_head
from quantize.bits.ggml import PLAIN, BitsError, Kind, kind_numbered, kind_of, unpack

ALIGNMENT = 32
EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"
KEEP = (
    "ffn_gate_inp.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "position_embd",
    "token_types",
)
"""What llama.cpp never quantizes, besides norms: parts of such names."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of the file, by its name in llama.cpp."""

    name: str
    rows: int
    columns: int
    kind: str
    """ggml's name of its type."""

    start: int
    """Where its bytes begin in the file."""

    bytes: int
    plannable: bool
    """A matrix that llama.cpp would quantize."""

    @property
    def numbers(self) -> int:
        """Return how many weights it has."""
        return self.rows * self.columns


@dataclass(frozen=True)
class Parent:
    """A GGUF file, read but not loaded."""

    path: Path
    architecture: str
    facts: dict[str, Any]
    """Numbers and texts of its head, by their keys."""

    tensors: tuple[Tensor, ...]
    head_bytes: int
    """Head and list of tensors, before padding."""

    @cached_property
    def plannable(self) -> tuple[Tensor, ...]:
        """Return the matrices whose type may be chosen."""
        return tuple(tensor for tensor in self.tensors if tensor.plannable)

    @property
    def tied(self) -> bool:
        """Tell whether the embedding is the output too."""
        return not any(tensor.name == OUTPUT for tensor in self.tensors)

    def fact(self, key: str, default: int = 0) -> int:
        """Return a number that the file says of its own architecture; of a list, the largest."""
        value = self.facts.get(f"{self.architecture}.{key}", default)
        return int(max(value)) if isinstance(value, list) else int(value)

    def refuse_quantized(self) -> None:
        """Raise BitsError when a matrix is already quantized: this is no parent, then."""
        for tensor in self.plannable:
            if tensor.kind not in PLAIN:
                raise BitsError("bits-parent-quantized", path=self.path, tensor=tensor.name, type=tensor.kind)

    def values(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return the weights [rows, columns]; raise BitsError when they are not plain finite numbers."""
        values = self.unpacked(tensor)
        if not np.isfinite(values).all():
            raise BitsError("bits-nan", path=self.path, tensor=tensor.name)
        return values

    def unpacked(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return the weights [rows, columns] of any type."""
        packed = self.packed(tensor)
        return unpack(packed, kind_of(tensor.kind), tensor.columns)

    def packed(self, tensor: Tensor) -> NDArray[np.uint8]:
        """Return the tensor's bytes [rows, row bytes], straight from the file."""
        view = np.memmap(self.path, dtype=np.uint8, mode="r", offset=tensor.start, shape=(tensor.bytes,))
        return np.asarray(view).reshape(tensor.rows, -1)

    def size_with(self, kinds: dict[str, str]) -> int:
        """Return the exact bytes of the file that llama.cpp writes with these types."""
        return self.head_bytes_after() + sum(_padded(self.tensor_bytes(t, kinds)) for t in self.tensors)

    def tensor_bytes(self, tensor: Tensor, kinds: dict[str, str]) -> int:
        """Return the bytes of a tensor in the type that `kinds` names, or as it is."""
        name = kinds.get(tensor.name)
        return tensor.rows * kind_of(name).row_bytes(tensor.columns) if name else tensor.bytes

    def head_bytes_after(self) -> int:
        """Return the bytes of the head that llama.cpp writes: it adds two numbers where they are missing."""
        added = sum(
            8 + len(key) + 4 + 4
            for key in ("general.quantization_version", "general.file_type")
            if key not in self.facts
        )
        return _padded(self.head_bytes + added)


def read_parent(path: Path) -> Parent:
    """Read the list of tensors and the facts of a GGUF file; damage is an EdgeError."""
    head = read_head(path)
    import gguf

    reader = gguf.GGUFReader(path)
    facts: dict[str, Any] = {name: field.contents() for name, field in reader.fields.items() if _is_small(field)}
    facts |= head.fields
    if facts.get("general.alignment", ALIGNMENT) != ALIGNMENT:
        raise BitsError("bits-alignment", path=path, alignment=str(facts["general.alignment"]))
    tensors = tuple(_tensor(tensor) for tensor in reader.tensors)
    last = reader.tensors[-1].field
    end = last.offset + sum(int(part.nbytes) for part in last.parts)
    return Parent(path, head.architecture, facts, tensors, end)


def fitting(names: tuple[str, ...], columns: int) -> tuple[Kind, ...]:
    """Return the types of `names` whose blocks divide a row of `columns`, and F16, from small to large."""
    kinds = {kind_of(name) for name in names} | {kind_of("F16")}
    return tuple(sorted((k for k in kinds if k.fits(columns)), key=lambda k: (k.bits, k.name)))


def _tensor(found: Any) -> Tensor:
    shape = [int(size) for size in found.shape]
    columns = shape[0]
    numbers = int(found.n_elements)
    name = str(found.name)
    matrix = len([size for size in shape if size > 1]) == 2 and len(shape) == 2
    wanted = name.endswith("weight") and "_norm.weight" not in name and not any(part in name for part in KEEP)
    return Tensor(
        name=name,
        rows=numbers // columns,
        columns=columns,
        kind=kind_numbered(int(found.tensor_type)),
        start=int(found.data_offset),
        bytes=int(found.n_bytes),
        plannable=matrix and wanted,
    )


def _is_small(field: Any) -> bool:
    """Tell lists of numbers per layer from vocabularies."""
    return len(field.data) <= 4096 and "tokenizer" not in field.name


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
