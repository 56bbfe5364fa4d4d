"""Write a plan as a GGUF file through llama.cpp's own routine, so that any llama.cpp reads it.

Every tensor's bytes depend only on its own weights, type and importance: a tensor
that did not change is the same, byte for byte, in the next release.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.tutor.llama_library import load_library
from quantize.bits.allocate import Plan, read_plan
from quantize.bits.ggml import BitsError, kind_of
from quantize.bits.ledger import load
from quantize.bits.parent import Parent, read_parent

MIXES = {
    "Q4_0": 2,
    "Q8_0": 7,
    "Q2_K": 10,
    "Q3_K_S": 11,
    "Q3_K_M": 12,
    "Q3_K_L": 13,
    "Q4_K_S": 14,
    "Q4_K_M": 15,
    "Q5_K_S": 16,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "IQ3_XXS": 23,
    "IQ4_NL": 25,
    "IQ3_M": 27,
    "IQ4_XS": 30,
}
"""llama.cpp's own mixtures of types, and its numbers for them."""

SLAB_BYTES = 128 << 20
"""Rows of a tensor that llama.cpp holds at once."""


def quantize(gguf: Path, plan: Path, importance: Path | None, output: Path, threads: int = 1) -> None:
    """Write `output`: the weights of `gguf` in the types of `plan`; raise BitsError unless it is as planned."""
    wanted = read_plan(plan)
    imatrix = load(importance)[0]["imatrix"] if importance else {}
    write_planned(read_parent(gguf), wanted, imatrix, output, threads)


def write_planned(
    parent: Parent, plan: Plan, imatrix: Mapping[str, NDArray[np.float32]], output: Path, threads: int = 1
) -> None:
    """Write the file of a plan that is already read."""
    _refuse_other(parent, plan)
    _run(parent.path, output, "Q4_K_M", imatrix, plan.types, threads)
    made = read_parent(output)
    different = [t.name for t in made.tensors if t.name in plan.types and t.kind != plan.types[t.name]]
    size = output.stat().st_size
    if different or size != plan.bytes:
        output.unlink()
        raise BitsError("bits-not-as-planned", path=output, size=size, wanted=plan.bytes, tensor=str(different[:1]))


def write_mix(
    gguf: Path,
    mix: str,
    imatrix: Mapping[str, NDArray[np.float32]],
    output: Path,
    threads: int = 1,
    embedding: str = "",
) -> None:
    """Write `output` in one of llama.cpp's own mixtures: what we compare ourselves with.

    `embedding` is the type of the embedding where it is not the mixture's own.
    """
    if mix not in MIXES:
        raise BitsError("bits-type", type=mix, types=", ".join(MIXES))
    _run(gguf, output, mix, imatrix, {}, threads, embedding)


def _refuse_other(parent: Parent, plan: Plan) -> None:
    parent.refuse_quantized()
    names = {tensor.name for tensor in parent.plannable}
    if missing := sorted(names ^ set(plan.types)):
        raise BitsError("bits-plan-other", path=parent.path, tensor=missing[0])
    for tensor in parent.plannable:
        kind = kind_of(plan.types[tensor.name])
        if not kind.fits(tensor.columns):
            raise BitsError("bits-row", type=kind.name, columns=tensor.columns, block=kind.block)


def _run(
    source: Path,
    output: Path,
    mix: str,
    imatrix: Mapping[str, NDArray[np.float32]],
    kinds: Mapping[str, str],
    threads: int,
    embedding: str = "",
) -> None:
    library = load_library()
    api = library.api
    params = api.llama_model_quantize_default_params()
    params.nthread = threads
    params.ftype = MIXES[mix]
    params.max_buf_size = SLAB_BYTES
    if embedding:
        params.token_embedding_type = kind_of(embedding).number
    held = (_overrides(api, kinds), _importance(api, imatrix))
    if kinds:
        params.tt_overrides = held[0]
    if imatrix:
        params.imatrix = held[1]
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    library.complaints.clear()
    code = api.llama_model_quantize(os.fsencode(source), os.fsencode(partial), ctypes.byref(params))
    if code != 0:
        partial.unlink(missing_ok=True)
        raise BitsError("bits-failed", path=source, reason="; ".join(library.complaints) or str(code))
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(output)


def _overrides(api: Any, kinds: Mapping[str, str]) -> Any:
    """Return one exact pattern for each tensor; the last, empty one ends the list."""
    rows = (api.llama_model_tensor_override * (len(kinds) + 1))()
    for row, (name, kind) in zip(rows, kinds.items(), strict=False):
        row.pattern = f"^{re.escape(name)}$".encode()
        row.type = kind_of(kind).number
    return rows


def _importance(api: Any, imatrix: Mapping[str, NDArray[np.float32]]) -> Any:
    rows = (api.llama_model_imatrix_data * (len(imatrix) + 1))()
    for row, (name, weights) in zip(rows, imatrix.items(), strict=False):
        content = (ctypes.c_float * weights.size).from_buffer_copy(weights.astype(np.float32).tobytes())
        row.name, row.data, row.size = name.encode(), content, weights.size
    return rows
