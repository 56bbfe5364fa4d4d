"""From an fp32 ONNX folder to a smaller one: int8 for speed, int4 weights for size."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast, get_args

from quantize.onnx.folder import MODEL, WEIGHTS, Kind, making, read_onnx_facts, write_onnx_facts
from quantize.recipe import RecipeError

LARGEST_IN_ONE_FILE = 1 << 30
"""Bytes; protobuf ends at twice that, and what stands in between is not worth a second file."""


def quantize(onnx: Path, kind: str, output: Path) -> None:
    """Write `output`, an ONNX folder of `kind` int8 or int4, from an fp32 one; raise RecipeError when that cannot be.

    int8: see `int8`; int4: matrices in blocks of 4 bits, embeddings of 8 (`blocks`).
    """
    kinds = [name for name in get_args(Kind) if name != "fp32"]
    if kind not in kinds:
        raise RecipeError("onnx-kind", kind=kind[:20], kinds=", ".join(kinds))
    facts = read_onnx_facts(onnx)
    if facts.kind != "fp32":
        raise RecipeError("onnx-twice", path=onnx, kind=facts.kind)
    with making(output, onnx) as place:
        if kind == "int8":
            _to_int8(onnx / MODEL, place / MODEL)
        else:
            _to_int4(onnx / MODEL, place / MODEL)
        write_onnx_facts(place, facts.task, facts.family, cast(Kind, kind), facts.sha256)


def _to_int8(source: Path, output: Path) -> None:
    from quantize.onnx.int8 import quantize_int8

    before = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        quantize_int8(source, output)
    finally:
        logging.root.setLevel(before)


def _to_int4(source: Path, output: Path) -> None:
    import onnx

    from quantize.onnx.blocks import quantize_weights

    model = onnx.load(source)
    if quantize_weights(model, bits=4, table_bits=8) == 0:
        raise RecipeError("onnx-failed", path=source, reason="MatMul: 0")
    large = model.ByteSize() > LARGEST_IN_ONE_FILE
    onnx.save(model, output, save_as_external_data=large, location=WEIGHTS if large else None)
