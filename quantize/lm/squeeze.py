"""Quantize a GGUF file with llama.cpp's own routine, through its C interface."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from edge.tutor.llama_library import load_library
from quantize.recipe import RecipeError

KINDS = {"F16": 1, "Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18}
"""Names of mixed formats, and llama.cpp's numbers for them."""


def quantize(source: Path, kind: str, output: Path, threads: int = 1) -> None:
    """Write `output`, the model of `source` in the format named `kind`."""
    if kind not in KINDS:
        raise RecipeError("quantize-kind", kind=kind, kinds=", ".join(KINDS))
    library = load_library()
    params = library.api.llama_model_quantize_default_params()
    params.nthread = threads
    params.ftype = KINDS[kind]
    partial = output.with_suffix(".partial")
    code = library.api.llama_model_quantize(os.fsencode(source), os.fsencode(partial), ctypes.byref(params))
    if code != 0:
        partial.unlink(missing_ok=True)
        raise RecipeError("quantize-failed", path=source, reason="; ".join(library.complaints) or str(code))
    partial.replace(output)
