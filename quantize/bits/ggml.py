"""ggml's own quantizer: pack rows of numbers into a type, unpack them, and know every type's size.

Everything goes through the copy of ggml that llama.cpp itself uses, so what is
packed here is bit for bit what a file made by llama.cpp holds.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import EdgeError
from edge.tutor.llama_library import load_library


class BitsError(EdgeError):
    """A model cannot be quantized as asked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of ggml's types."""

    name: str
    number: int
    block: int
    """Numbers in a block; rows are whole blocks."""

    block_bytes: int
    slow: bool = False
    """Slow on processors without AVX2: unpacked through look-up tables."""

    needs_importance: bool = False
    """llama.cpp refuses to pack it without an importance matrix."""

    @property
    def bits(self) -> float:
        """Return the bits per weight."""
        return 8 * self.block_bytes / self.block

    def row_bytes(self, columns: int) -> int:
        """Return the bytes of a row."""
        return columns // self.block * self.block_bytes

    def fits(self, columns: int) -> bool:
        """Tell whether rows of `columns` numbers are whole blocks."""
        return columns % self.block == 0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("F32", 0, 1, 4),
        Kind("F16", 1, 1, 2),
        Kind("BF16", 30, 1, 2),
        Kind("Q4_0", 2, 32, 18),
        Kind("Q4_1", 3, 32, 20),
        Kind("Q5_0", 6, 32, 22),
        Kind("Q5_1", 7, 32, 24),
        Kind("Q8_0", 8, 32, 34),
        Kind("Q2_K", 10, 256, 84),
        Kind("Q3_K", 11, 256, 110),
        Kind("Q4_K", 12, 256, 144),
        Kind("Q5_K", 13, 256, 176),
        Kind("Q6_K", 14, 256, 210),
        Kind("IQ1_S", 19, 256, 50, slow=True, needs_importance=True),
        Kind("IQ1_M", 29, 256, 56, slow=True, needs_importance=True),
        Kind("IQ2_XXS", 16, 256, 66, slow=True, needs_importance=True),
        Kind("IQ2_XS", 17, 256, 74, slow=True, needs_importance=True),
        Kind("IQ2_S", 22, 256, 82, slow=True, needs_importance=True),
        Kind("IQ3_XXS", 18, 256, 98, slow=True, needs_importance=True),
        Kind("IQ3_S", 21, 256, 110, slow=True),
        Kind("IQ4_XS", 23, 256, 136),
        Kind("IQ4_NL", 20, 32, 18),
    )
}
"""The types that our devices read, by name."""

PLAIN = ("F32", "F16", "BF16")
"""Types without blocks: what a parent file may hold."""


def kind_of(name: str) -> Kind:
    """Return the type called `name`; raise BitsError when there is none."""
    if name not in KINDS:
        raise BitsError("bits-type", type=name, types=", ".join(KINDS))
    return KINDS[name]


def kind_numbered(number: int) -> str:
    """Return the name of a type by ggml's number, or its number as text when we do not use it."""
    return next((kind.name for kind in KINDS.values() if kind.number == number), f"#{number}")


def pack(
    values: NDArray[np.float32], kind: Kind, importance: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.uint8]:
    """Quantize `values` [rows, columns], weighing columns by `importance`; return bytes [rows, row bytes]."""
    rows, columns = values.shape
    if not kind.fits(columns):
        raise BitsError("bits-row", type=kind.name, columns=columns, block=kind.block)
    if kind.needs_importance and importance is None:
        raise BitsError("bits-needs-importance", type=kind.name)
    library = _library()
    source = np.ascontiguousarray(values, dtype=np.float32)
    weights = None if importance is None else np.ascontiguousarray(importance, dtype=np.float32)
    packed = np.empty((rows, kind.row_bytes(columns)), dtype=np.uint8)
    library.ggml_quantize_init(kind.number)

    def part(span: tuple[int, int]) -> None:
        first, last = span
        library.ggml_quantize_chunk(
            kind.number,
            _address(source[first:last]),
            _address(packed[first:last]),
            0,
            last - first,
            columns,
            None if weights is None else _address(weights),
        )

    _spread(part, rows, threads)
    if not library.ggml_validate_row_data(kind.number, _address(packed), packed.nbytes):
        raise BitsError("bits-not-finite", type=kind.name)
    return packed


def unpack(packed: NDArray[np.uint8], kind: Kind, columns: int, threads: int = 1) -> NDArray[np.float32]:
    """Return the numbers [rows, columns] that `packed` [rows, row bytes] stands for."""
    rows = packed.shape[0]
    source = np.ascontiguousarray(packed)
    if kind.name == "F32":
        return source.view(np.float32).reshape(rows, columns).copy()
    values = np.empty((rows, columns), dtype=np.float32)
    to_float = _traits(kind.number).to_float

    def part(span: tuple[int, int]) -> None:
        first, last = span
        to_float(_address(source[first:last]), _address(values[first:last]), (last - first) * columns)

    _spread(part, rows, threads)
    return values


def rounded(
    values: NDArray[np.float32], kind: Kind, importance: NDArray[np.float32] | None = None, threads: int = 1
) -> NDArray[np.float32]:
    """Return `values` [rows, columns] as they are after packing and unpacking."""
    return unpack(pack(values, kind, importance, threads), kind, values.shape[1], threads)


def _spread(part: Any, rows: int, threads: int) -> None:
    """Give each thread its rows; ggml lets go of Python's lock."""
    if threads < 2 or rows < 2 * threads:
        part((0, rows))
        return
    edges = [rows * number // threads for number in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, pairwise(edges)))


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class _Traits(ctypes.Structure):
    """What ggml tells about a type (struct ggml_type_traits)."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
        ("from_float_ref", ctypes.c_void_p),
    )


@cache
def _library() -> Any:
    library = load_library().api._lib
    pointer, number, long = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
    library.ggml_quantize_init.argtypes, library.ggml_quantize_init.restype = [number], None
    chunk = library.ggml_quantize_chunk
    chunk.argtypes, chunk.restype = [number, pointer, pointer, long, long, long, pointer], ctypes.c_size_t
    check = library.ggml_validate_row_data
    check.argtypes, check.restype = [number, pointer, ctypes.c_size_t], ctypes.c_bool
    library.ggml_get_type_traits.argtypes = [number]
    library.ggml_get_type_traits.restype = ctypes.POINTER(_Traits)
    return library


@cache
def _traits(number: int) -> Any:
    return _library().ggml_get_type_traits(number).contents


def block_facts(kind: Kind) -> tuple[int, int]:
    """Return ggml's own numbers and bytes of a block: our table is checked against them."""
    traits = _traits(kind.number)
    return int(traits.blck_size), int(traits.type_size)
