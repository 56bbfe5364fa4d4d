"""Models of a realistic size for measuring speed: random weights, or the mini made as wide and as slow as a larger one.

Both have the mini's words. The wide mini answers exactly as the mini: what was added to it is zeros.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from benchmarks.quantize_speed import ROOT, Size, _shapes
from edge.tutor.llama_library import load_library

MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
HALF_BILLION = Size(layers=22, hidden=1024, feed_forward=4096, vocabulary=8192)
Q4_K_M = 15
WIDE = 32_768
"""Neurons of each layer of the wide mini: 0.2 B weights in all, 8 bits each."""


def random_model(folder: Path, size: Size = HALF_BILLION) -> Path:
    """Write a Llama of random weights with the mini's words, in Q4_K_M by llama.cpp's own routine; it never ends an answer."""
    plain, model = folder / "plain.gguf", folder / "random.gguf"
    mini = gguf.GGUFReader(MINI)
    writer = _begun(plain, mini, size.feed_forward, context=32_768, layers=size.layers, hidden=size.hidden)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    tile = (np.random.default_rng(1).standard_normal(1 << 22) * 0.02).astype(np.float16)
    for name, shape in _shapes(size).items():
        weights = np.ones(shape, dtype=np.float32) if len(shape) == 1 else np.resize(tile, shape)
        if name == "token_embd.weight":
            weights = weights.copy()
            weights[:8] = 0  # the control marks: nothing is ever likelier than zero
        writer.add_tensor(name, weights)
    _finish(writer)
    params = load_library().api.llama_model_quantize_default_params()
    params.nthread, params.ftype = 2, Q4_K_M
    routine = load_library().api.llama_model_quantize
    if routine(os.fsencode(plain), os.fsencode(model), ctypes.byref(params)) != 0:
        raise SystemExit("the model could not be quantized")
    plain.unlink()
    return model


def wide_mini(folder: Path, wide: int = WIDE) -> Path:
    """Write the mini with so many neurons in each layer, the new ones of zeros."""
    model, mini = folder / "wide.gguf", gguf.GGUFReader(MINI)
    writer = _begun(model, mini, wide, context=2048, layers=8, hidden=256)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for tensor in mini.tensors:
        weights: Any = tensor.data
        if ".ffn_" in tensor.name and weights.ndim == 2:
            plain = gguf.quants.dequantize(weights, tensor.tensor_type)
            rows, columns = plain.shape
            shape = (rows, wide) if "down" in tensor.name else (wide, columns)
            padded = np.zeros(shape, dtype=np.float32)
            padded[:rows, :columns] = plain
            weights = gguf.quants.quantize(padded, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor.name, weights, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor.name, weights, raw_dtype=tensor.tensor_type)
    _finish(writer)
    return model


def _begun(path: Path, mini: Any, feed_forward: int, *, context: int, layers: int, hidden: int) -> Any:
    """Return a file with the mini's words and these measures."""
    writer = gguf.GGUFWriter(path, "llama")
    measures = {
        "context_length": context, "block_count": layers, "embedding_length": hidden, "feed_forward_length": feed_forward,
        "attention.head_count": hidden // 64, "attention.head_count_kv": max(2, hidden // 256), "vocab_size": 8192,
    }  # fmt: skip
    for name, number in measures.items():
        writer.add_uint32(f"llama.{name}", number)
    for name, field in mini.fields.items():
        kept = name.startswith("tokenizer.") or (
            name.startswith("llama.") and name.removeprefix("llama.") not in measures
        )
        if kept:
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    return writer


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
