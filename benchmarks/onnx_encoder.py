"""An encoder in int8 and int4 against fp32: speed at one thread, how close the embeddings stay, bytes.

The encoder has the size of MiniLM-L6 (6 layers of 384) and random weights, because no public ones are at hand without
a network; the reader that ships is a trained one, compared with its own weights in fp32. Times are the processor's own
(other programs do not count), the smallest of many turns taken in rotation.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.onnx.folder import MODEL
from quantize.onnx.parity import cosine

LENGTHS = (16, 64, 128, 256)
ROUNDS = 12
VOCABULARY = 30522
Floats = NDArray[np.float32]


def run() -> str:
    """Return two tables in Markdown."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        variants = _variants(place)
        rows = _measured(variants, LENGTHS, VOCABULARY, pooled=True)
        table = _table(rows, variants, LENGTHS)
        shipped = Path(str(files("edge").joinpath("models", "reader", "reader.onnx")))
        pair = {"fp32 (same weights)": _in_fp32(shipped, place / "reader.onnx"), "int8, as shipped": shipped}
        trained = _table(_measured(pair, (64, 160, 256), 4000, pooled=False), pair, (64, 160, 256))
    return f"MiniLM-L6 size, random weights, one thread of {_processor()}:\n\n{table}\n\nThe reader that ships (trained):\n\n{trained}"


def _variants(place: Path) -> dict[str, Path]:
    """Make the encoder and every way to shrink it; the first is what the others are compared with."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from quantize.onnx.blocks import quantize_weights
    from quantize.onnx.export import export
    from quantize.onnx.shrink import quantize

    export(_checkpoint(place / "checkpoint"), "feature-extraction", place / "fp32")
    for kind in ("int8", "int4"):
        quantize(place / "fp32", kind, place / kind)
    source = place / "fp32" / MODEL
    found = {"fp32": source, "**int8** (ours: S8, 7 bits, per column)": place / "int8" / MODEL}
    others: dict[str, dict[str, Any]] = {
        "int8, embeddings left in fp32": {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QInt8},
        "int8, 8 bits": {"per_channel": True, "reduce_range": False, "weight_type": QuantType.QInt8},
        "int8, one scale a matrix": {"per_channel": False, "reduce_range": True, "weight_type": QuantType.QInt8},
        "int8, U8 weights": {"per_channel": False, "reduce_range": False, "weight_type": QuantType.QUInt8},
    }
    for name, settings in others.items():
        found[name] = place / f"{len(found)}.onnx"
        quantize_dynamic(source, found[name], op_types_to_quantize=["MatMul"], **settings)
    found["**int4** (ours: blocks of 32)"] = place / "int4" / MODEL
    found["8 bits in blocks of 32"] = place / "blocks8.onnx"
    model = onnx.load(source)
    quantize_weights(model, bits=8, table_bits=8)
    onnx.save(model, found["8 bits in blocks of 32"])
    return found


def _checkpoint(folder: Path) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    # Twice the usual spread of random weights: with less, the layers hardly change what passes through them.
    config.initializer_range = 0.04
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    Tokenizer(WordLevel({"[UNK]": 0}, "[UNK]")).save(str(folder / "tokenizer.json"))
    return folder


def _measured(
    variants: dict[str, Path], lengths: Sequence[int], vocabulary: int, *, pooled: bool
) -> dict[str, tuple[list[float], float]]:
    """Return for each variant its seconds at each length, and its lowest cosine with the first variant."""
    sessions = {name: _session(path) for name, path in variants.items()}
    first = next(iter(sessions))
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    closest = dict.fromkeys(sessions, 1.0)
    random = np.random.default_rng(3)
    for length in lengths:
        ids = random.integers(5, vocabulary, (1, length))
        least = dict.fromkeys(sessions, float("inf"))
        said: dict[str, Floats] = {}
        for _ in range(ROUNDS):
            for name, ask in sessions.items():
                began = time.process_time()
                said[name] = ask(ids)
                least[name] = min(least[name], time.process_time() - began)
        for name, rows in said.items():
            seconds[name].append(least[name])
            one, other = (a.mean(axis=0) if pooled else a.ravel() for a in (said[first], rows))
            closest[name] = min(closest[name], cosine(one, other))
    return {name: (seconds[name], closest[name]) for name in sessions}


def _session(path: Path) -> Callable[[NDArray[np.int64]], Floats]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def ask(ids: NDArray[np.int64]) -> Floats:
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        rows: Floats = session.run(None, given)[0][0]
        return rows

    return ask


def _in_fp32(source: Path, output: Path) -> Path:
    """Write the twin of a dynamic int8 file that multiplies with the same weights in fp32."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    graph = model.graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makes = {name: node for node in graph.node for name in node.output}
    uses = {name: node for node in graph.node for name in node.input}
    replaced = {}
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1] in arrays:
            name = node.input[1].removesuffix("_quantized")
            weights = (arrays[node.input[1]].astype(np.float32) - arrays[f"{name}_zero_point"]) * arrays[
                f"{name}_scale"
            ]
            graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), f"{name}_fp32"))
            scaled = uses[uses[node.output[0]].output[0]]
            given = makes[node.input[0]].input[0]
            replaced[scaled.output[0]] = helper.make_node("MatMul", [given, f"{name}_fp32"], list(scaled.output))
    nodes = [replaced.get(node.output[0], node) for node in graph.node]
    needed = {entry.name for entry in graph.output}
    kept = []
    for node in reversed(nodes):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    onnx.save(model, output)
    return output


def _table(rows: dict[str, tuple[list[float], float]], variants: dict[str, Path], lengths: Sequence[int]) -> str:
    head = "| file | MB | cosine | " + " | ".join(f"{length} tokens" for length in lengths) + " |"
    lines = [head, "|---|---|---|" + "---|" * len(lengths)]
    base = next(iter(rows.values()))[0]
    for name, (seconds, near) in rows.items():
        times = " | ".join(f"{1000 * s:.1f} ms, {b / s:.2f}x" for s, b in zip(seconds, base, strict=True))
        lines.append(f"| {name} | {variants[name].stat().st_size / 1e6:.1f} | {near:.4f} | {times} |")
    return "\n".join(lines)


def _processor() -> str:
    """Name what decides the speed of int8: whether the processor adds four products in one step (VNNI)."""
    import os

    from edge.processor import read_processor

    flags = read_processor(os.environ).flags
    return "a processor with VNNI" if any("vnni" in flag for flag in flags) else "a processor without VNNI"
