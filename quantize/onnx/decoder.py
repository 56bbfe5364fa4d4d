"""Write a Llama-shaped GGUF model as one ONNX file that a device runs with onnxruntime alone.

The graph is written here, operator by operator: attention and its memory are one operator (GroupQueryAttention) that
writes into memory in place, and only the tokens that are asked for reach the vocabulary. The file carries the
vocabulary of the GGUF file and names it by its SHA-256. By hand:

    python -m quantize.onnx.decoder MODEL.gguf MODEL.onnx int8     # or int4, fp32
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from edge.files import sha256_of
from edge.onnx.head import describe
from edge.tutor.gguf import read_head
from quantize.onnx.decoder_shape import INTERLEAVED, Shape, angles, read_shape, vocabulary_of
from quantize.onnx.folder import Kind
from quantize.onnx.graph import Graph
from quantize.onnx.matrices import numbers
from quantize.recipe import RecipeError

MOST_BYTES = (1 << 31) - (1 << 20)
"""What protobuf can hold in one file."""


def write_decoder(gguf: Path, output: Path, kind: str, twin: Path | None = None) -> None:
    """Write `output`, an ONNX file with the weights of `gguf` in `kind`; raise RecipeError when that cannot be.

    `twin` is the GGUF file that devices have of the same model, where it is another one (with fewer bits).
    """
    if kind not in get_args(Kind):
        raise RecipeError("onnx-kind", kind=kind[:20], kinds=", ".join(get_args(Kind)))
    shape = read_shape(gguf)
    import gguf as library

    reader = library.GGUFReader(gguf)
    model = _model(shape, {t.name: t for t in reader.tensors}, cast(Kind, kind))
    facts: dict[str, int | str] = {"layers": shape.layers, "key_heads": shape.key_heads, "kind": kind}
    facts |= {
        "parameters": read_head(gguf).parameters,
        "head_size": shape.head_size,
        "context": shape.context,
        "gguf": sha256_of(twin or gguf),
    }
    vocabulary = vocabulary_of(twin or gguf, library.GGUFReader(twin) if twin else reader)
    entry = model.metadata_props.add()
    entry.key, entry.value = describe(facts, vocabulary)
    if model.ByteSize() > MOST_BYTES:
        raise RecipeError("onnx-failed", path=gguf, reason=f"{model.ByteSize() >> 20} MB > {MOST_BYTES >> 20} MB")
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.write_bytes(model.SerializeToString())
        partial.replace(output)
    except OSError as error:
        raise RecipeError("onnx-failed", path=output, reason=error.strerror or str(error)) from error
    finally:
        partial.unlink(missing_ok=True)


def _model(shape: Shape, tensors: dict[str, Any], kind: Kind) -> Any:
    graph = Graph(tensors, kind)
    factors = tensors.get("rope_freqs.weight")
    cos, sin = angles(shape, None if factors is None else numbers(factors))
    graph.keep("cos", cos)
    graph.keep("sin", sin)
    x = graph.table("token_embd.weight", "input_ids")
    added = None
    for number in range(shape.layers):
        x, added = _layer(graph, shape, number, x, added)
    x, _ = graph.norm(x, added, "output_norm.weight", shape.epsilon)
    x = graph.node("Gather", [x, "wanted"], axis=1)
    head = "output.weight" if "output.weight" in tensors else "token_embd.weight"
    graph.product(x, [head], bits=8, output="logits")
    return graph.model(shape)


def _layer(graph: Graph, shape: Shape, number: int, x: str, added: str | None) -> tuple[str, str]:
    """Write one layer; return the sum so far, and what is still to be added to it."""
    name = f"blk.{number}."
    normal, x = graph.norm(x, added, f"{name}attn_norm.weight", shape.epsilon)
    mixed = graph.product(normal, [f"{name}attn_{part}.weight" for part in "qkv"])
    attended = graph.attention(mixed, number, shape.heads, shape.key_heads, interleaved=INTERLEAVED[shape.family])
    normal, x = graph.norm(
        x, graph.product(attended, [f"{name}attn_output.weight"]), f"{name}ffn_norm.weight", shape.epsilon
    )
    both = graph.product(normal, [f"{name}ffn_gate.weight", f"{name}ffn_up.weight"])
    gate, up = graph.halves(both)
    bent = graph.node("Mul", [gate, graph.node("Sigmoid", [gate])])
    return x, graph.product(graph.node("Mul", [bent, up]), [f"{name}ffn_down.weight"])


def main(argv: Sequence[str]) -> int:
    """Write what the command line names."""
    write_decoder(Path(argv[0]), Path(argv[1]), argv[2] if len(argv) > 2 else "int8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
