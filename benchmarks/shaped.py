"""Models of a realistic size for measuring speed: random weights, or the mini made as wide and as slow as a larger one.

Both have the mini's words. The wide mini answers exactly as the mini: what was added to it is zeros.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from edge.tutor.llama_library import load_library

ROOT = Path(__file__).parents[1]
MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
Q4_K_M = 15
WIDE = 32_768
"""Neurons of each layer of the wide mini: 0.2 B weights in all, 8 bits each."""


@dataclass(frozen=True, slots=True)
class Size:
    """A random Llama."""

    layers: int
    hidden: int
    feed_forward: int
    vocabulary: int


HALF_BILLION = Size(layers=22, hidden=1024, feed_forward=4096, vocabulary=8192)


def write_random(path: Path, size: Size, mini: gguf.GGUFReader | None = None) -> int:
    """Write a Llama of random weights, a tensor at a time; return the bytes of its largest tensor.

    With the words of the mini it never ends an answer; without, it has none.
    """
    context = 2048 if mini is None else 32_768
    writer = _begun(path, mini, size, context)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    shapes = _shapes(size)
    for name, shape in shapes.items():
        kind: Any = np.dtype(np.float32 if len(shape) == 1 else np.float16)
        writer.add_tensor_info(name, shape, kind, int(np.prod(shape)) * kind.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    tile = (np.random.default_rng(1).standard_normal(1 << 22) * 0.02).astype(np.float16)
    for name, shape in shapes.items():
        weights = np.ones(shape, dtype=np.float32) if len(shape) == 1 else np.resize(tile, shape)
        if mini is not None and name == "token_embd.weight":
            weights[:8] = 0  # the control marks: nothing is ever likelier than zero
        writer.write_tensor_data(weights)
    writer.close()
    return max(2 * int(np.prod(shape)) for shape in shapes.values())


def random_model(folder: Path, size: Size = HALF_BILLION) -> Path:
    """Write a Llama of random weights with the mini's words, in Q4_K_M by llama.cpp's own routine."""
    plain, model = folder / "plain.gguf", folder / "random.gguf"
    write_random(plain, size, gguf.GGUFReader(MINI))
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
    writer = _begun(model, mini, Size(layers=8, hidden=256, feed_forward=wide, vocabulary=8192), 2048)
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


def _begun(path: Path, mini: gguf.GGUFReader | None, size: Size, context: int) -> Any:
    """Return a file with these measures and the mini's words, or none."""
    writer = gguf.GGUFWriter(path, "llama")
    measures = {
        "context_length": context, "block_count": size.layers, "embedding_length": size.hidden,
        "feed_forward_length": size.feed_forward, "attention.head_count": size.hidden // 64,
        "attention.head_count_kv": max(2, size.hidden // 256), "vocab_size": size.vocabulary,
    }  # fmt: skip
    for name, number in measures.items():
        writer.add_uint32(f"llama.{name}", number)
    if mini is None:
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_tokenizer_model("none")
        return writer
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


def _shapes(size: Size) -> dict[str, tuple[int, ...]]:
    wide, keys = size.hidden, size.hidden // 4
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (size.vocabulary, wide), "output_norm.weight": (wide,)}
    for layer in range(size.layers):
        block = {
            "attn_norm": (wide,), "attn_q": (wide, wide), "attn_k": (keys, wide), "attn_v": (keys, wide),
            "attn_output": (wide, wide), "ffn_norm": (wide,), "ffn_gate": (size.feed_forward, wide),
            "ffn_up": (size.feed_forward, wide), "ffn_down": (wide, size.feed_forward),
        }  # fmt: skip
        shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in block.items()}
    return shapes
