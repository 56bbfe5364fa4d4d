"""GGUF files as ONNX, and tiny GGUF files of other families, made in a second."""

from __future__ import annotations

import ctypes
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

MINI = Path(__file__).parent.parent / "edge" / "models" / "mini" / "mini.gguf"
NUMBER_OF = {"F32": 0, "Q4_0": 2, "Q8_0": 8}
FILE_TYPES = {"F32": 0, "Q4_0": 2, "Q8_0": 7}
WORDS = 800


def onnx_of(gguf: Path, folder: Path, kind: str = "int8") -> Path:
    """Write a GGUF file as ONNX."""
    pytest.importorskip("onnx", reason="needs the extra quantize")
    pytest.importorskip("gguf", reason="needs the extra quantize")
    from quantize.onnx.decoder import write_decoder

    output = folder / f"{gguf.stem}.onnx"
    if (gguf, kind) == (MINI, "int8"):
        output.write_bytes(_mini())
    else:
        write_decoder(gguf, output, kind)
    return output


@cache
def _mini() -> bytes:
    """Return the mini as ONNX, made once."""
    from quantize.onnx.decoder import write_decoder

    with tempfile.TemporaryDirectory() as folder:
        write_decoder(MINI, Path(folder) / "mini.onnx", "int8")
        return (Path(folder) / "mini.onnx").read_bytes()


def in_bits(bits: str, folder: Path) -> Path:
    """Write the mini again with every matrix in these bits."""
    output = folder / f"{bits}.gguf"
    output.write_bytes(_mini_in(bits))
    return output


@cache
def _mini_in(bits: str) -> bytes:
    from edge.tutor.llama_library import load_library

    api = load_library().api
    params = api.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.pure, params.allow_requantize = 1, FILE_TYPES[bits], True, True
    params.output_tensor_type = params.token_embedding_type = NUMBER_OF[bits]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "mini.gguf"
        assert api.llama_model_quantize(os.fsencode(MINI), os.fsencode(output), ctypes.byref(params)) == 0
        return output.read_bytes()


@cache
def _vocabulary() -> dict[str, tuple[Any, Any, Any]]:
    """Return what the mini says of its first tokens: contents, their type, and the type of what lists hold."""
    import gguf

    fields = {n: f for n, f in gguf.GGUFReader(MINI).fields.items() if n.startswith("tokenizer.")}
    lists = gguf.GGUFValueType.ARRAY
    words = {n: (f.contents(), f.types[0], f.types[-1] if f.types[0] == lists else None) for n, f in fields.items()}
    tokens = words["tokenizer.ggml.tokens"][0][:WORDS]
    made = set(tokens)
    for name, (content, kind, inner) in words.items():
        if isinstance(content, list):
            kept = [m for m in content if m.replace(" ", "") in made] if name.endswith("merges") else content[:WORDS]
            words[name] = (kept, kind, inner)
    return words


def random_gguf(
    path: Path, family: str, *, bias: bool = False, slow: bool = False, stretch: float = 0, forget: str = ""
) -> Path:
    """Write a random network with the mini's vocabulary: `slow` slows pairs down as Llama 3 does, `stretch` all, `forget` leaves a tensor out."""
    import gguf
    import numpy as np

    random = np.random.default_rng(4)
    layers, hidden, heads, key_heads, forward = 2, 64, 4, 2, 96
    writer: Any = gguf.GGUFWriter(path, family)
    words = _vocabulary()
    for name, content in words.items():
        writer.add_key_value(name, *content)
    size = len(words["tokenizer.ggml.tokens"][0])
    writer.add_context_length(512)
    writer.add_embedding_length(hidden)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(hidden // heads)
    writer.add_vocab_size(size)
    if stretch:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(stretch)
    narrow = hidden // heads * key_heads
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (size, hidden), "output": (size, hidden)}
    for number in range(layers):
        rows = {"attn_q": (hidden, hidden), "attn_k": (narrow, hidden), "attn_v": (narrow, hidden)}
        rows |= {"attn_output": (hidden, hidden), "ffn_gate": (forward, hidden), "ffn_up": (forward, hidden)}
        shapes |= {f"blk.{number}.{name}": shape for name, shape in (rows | {"ffn_down": (hidden, forward)}).items()}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (random.standard_normal(shape) * 0.2).astype(np.float32))
        if bias and name[-6:] in ("attn_q", "attn_k", "attn_v"):
            writer.add_tensor(f"{name}.bias", random.standard_normal(shape[0]).astype(np.float32))
    norms = [f"blk.{number}.{part}_norm.weight" for number in range(layers) for part in ("attn", "ffn")]
    for name in [*norms, "output_norm.weight"]:
        writer.add_tensor(name, (1 + 0.1 * random.standard_normal(hidden)).astype(np.float32))
    if slow:
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, hidden // heads // 2).astype(np.float32))
    if forget:
        del writer.tensors[0][forget]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
