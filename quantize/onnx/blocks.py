"""Weights in blocks of 4 or 8 bits, each with its own scale: onnxruntime's MatMulNBits and GatherBlockQuantized.

The weights are rounded by the function onnxruntime itself ships for this; the graph is rewritten here, so that no further
package is needed. Activations stay as they are: only memory is saved, and on processors with fast int8 also time
(`accuracy_level` 4 lets the kernel round them to int8 on the way).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Bits = Literal[4, 8]
DOMAIN = "com.microsoft"
BLOCK = 32
"""Weights under one scale: 4.5 bits a weight with float16-sized scales, 5 with the float32 ones stored here."""

INT8_ACTIVATIONS = 4
"""MatMulNBits' accuracy_level."""

SMALLEST_WEIGHTS = 1024
"""Smaller tables are not worth a scale."""


def quantize_weights(model: Any, *, bits: Bits, table_bits: Bits, block: int = BLOCK) -> int:
    """Rewrite an onnx.ModelProto in place; return how many matrices changed.

    `bits` is for matrices that are multiplied, `table_bits` for tables that are looked up (embeddings), whose
    rounding costs more than it saves below 8 bits in models as small as ours.
    """
    from onnx import numpy_helper

    graph = model.graph
    known = {tensor.name: tensor for tensor in graph.initializer}
    changed, nodes = 0, []
    for node in graph.node:
        place = {"MatMul": 1, "Gather": 0}.get(node.op_type)
        tensor = known.get(node.input[place]) if place is not None and not node.domain else None
        array = numpy_helper.to_array(tensor) if tensor is not None else None
        if array is None or array.ndim != 2 or array.size < SMALLEST_WEIGHTS or array.dtype != np.float32:
            nodes.append(node)
        elif node.op_type == "MatMul":
            nodes.append(_multiplied(node, array, graph, bits, block))
            changed += 1
        elif array.shape[1] % block == 0 and _axis(node) == 0:
            nodes.append(_looked_up(node, array, graph, table_bits, block))
            changed += 1
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _forget_unused(graph)
    if all(opset.domain != DOMAIN for opset in model.opset_import):
        model.opset_import.add(domain=DOMAIN, version=1)
    return changed


def _multiplied(node: Any, weights: NDArray[np.float32], graph: Any, bits: Bits, block: int) -> Any:
    """Return the node that multiplies by the rounded `weights` [K, N]."""
    from onnx import helper

    rows, columns = weights.shape
    packed, scales, zeros = round_columns(weights, bits, block)
    names = _keep(graph, node.input[1], bits, {"packed": packed, "scales": scales.ravel(), "zeros": zeros.ravel()})
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        list(node.output),
        name=node.name,
        domain=DOMAIN,
        K=rows,
        N=columns,
        bits=bits,
        block_size=block,
        accuracy_level=INT8_ACTIVATIONS,
    )


def round_columns(
    weights: NDArray[np.float32], bits: Bits, block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Round `weights` [K, N] with onnxruntime's own function; return levels, scales and zeros, a row a column of the weights."""
    from onnxruntime.capi import _pybind_state as library

    rows, columns = weights.shape
    blocks = -(-rows // block)
    padded = np.zeros((blocks * block, columns), dtype=np.float32)
    padded[:rows] = weights
    packed = np.zeros((columns, blocks, block * bits // 8), dtype=np.uint8)
    scales = np.zeros((columns, blocks), dtype=np.float32)
    zeros = np.zeros((columns, -(-blocks * bits // 8)), dtype=np.uint8)
    round_in = library.quantize_matmul_4bits if bits == 4 else library.quantize_matmul_8bits
    round_in(packed, padded, scales, zeros, block, columns, rows, False)
    return packed, scales, zeros


def _looked_up(node: Any, table: NDArray[np.float32], graph: Any, bits: Bits, block: int) -> Any:
    """Return the node that looks up rows of the rounded `table`; symmetric, with the middle as zero."""
    from onnx import helper

    middle = 1 << (bits - 1)
    parts = table.reshape(len(table), -1, block)
    scales = np.abs(parts).max(axis=2, keepdims=True) / (middle - 1)
    steps = np.divide(parts, scales, out=np.zeros_like(parts), where=scales > 0)
    levels = (np.rint(steps) + middle).astype(np.uint8).reshape(table.shape)
    packed = levels if bits == 8 else levels[:, 0::2] | (levels[:, 1::2] << 4)
    names = _keep(graph, node.input[0], bits, {"packed": packed, "scales": scales[:, :, 0].astype(np.float32)})
    return helper.make_node(
        "GatherBlockQuantized",
        [names[0], node.input[1], names[1]],
        list(node.output),
        name=node.name,
        domain=DOMAIN,
        gather_axis=0,
        quantize_axis=1,
        block_size=block,
        bits=bits,
    )


def _keep(graph: Any, name: str, bits: Bits, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Store arrays beside the weights they replace, once for all nodes that share them; return their names."""
    from onnx import numpy_helper

    stored = {tensor.name for tensor in graph.initializer}
    names = {part: f"{name}.{bits}bits.{array.ndim}d.{part}" for part, array in arrays.items()}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(array), names[part])
        for part, array in arrays.items()
        if names[part] not in stored
    )
    return list(names.values())


def _axis(node: Any) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _forget_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
