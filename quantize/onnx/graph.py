"""The graph of a decoder as it is written: nodes, weights, and the names that join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.onnx.blocks import BLOCK, DOMAIN, INT8_ACTIVATIONS, Bits
from quantize.onnx.decoder_shape import Shape
from quantize.onnx.folder import Kind
from quantize.onnx.matrices import HALF, matrix, numbers, stacked
from quantize.recipe import RecipeError

OPSET, IR_VERSION = 20, 9
PRODUCTS: Mapping[Kind, Bits] = {"int8": 8, "int4": 4}


class Graph:
    """Nodes and weights, from the tensors of an open GGUF file."""

    def __init__(self, tensors: Mapping[str, Any], kind: Kind) -> None:
        self._tensors, self._kind = tensors, kind
        self._nodes: list[Any] = []
        self._kept: dict[str, Any] = {}

    def node(self, operator: str, inputs: Sequence[str], outputs: int | Sequence[str] = 1, **settings: Any) -> str:
        """Add a node; return its first output."""
        from onnx import helper

        number = len(self._nodes)
        names = [f"n{number}.{place}" for place in range(outputs)] if isinstance(outputs, int) else list(outputs)
        self._nodes.append(helper.make_node(operator, list(inputs), names, name=f"{operator}.{number}", **settings))
        return names[0]

    def keep(self, name: str, array: NDArray[Any]) -> str:
        """Keep an array in the file, once under its name; return the name."""
        from onnx import numpy_helper

        if name not in self._kept:
            self._kept[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def norm(self, x: str, added: str | None, weight: str, epsilon: float) -> tuple[str, str]:
        """Normalise a sum (RMS); return that and the sum."""
        inputs = [x, *([added] if added else []), self.keep(weight, numbers(self._tensor(weight)))]
        if added is None:
            return self.node("SimplifiedLayerNormalization", inputs, axis=-1, epsilon=epsilon), x
        outputs = [f"{weight}.normal", "", "", f"{weight}.sum"]
        self.node("SkipSimplifiedLayerNormalization", inputs, outputs, domain=DOMAIN, epsilon=epsilon)
        return outputs[0], outputs[3]

    def product(self, x: str, weights: Sequence[str], bits: Bits | None = None, output: str = "") -> str:
        """Multiply by the rows of some matrices together, and add their biases where they have any."""
        outputs = [output] if output else 1
        biases = [self._tensors.get(name.replace(".weight", ".bias")) for name in weights]
        if not any(bias is not None for bias in biases):
            return self._product(x, weights, bits, outputs)
        if any(bias is None for bias in biases):
            raise RecipeError("onnx-failed", path=weights[0], reason="bias")
        whole = self.keep(f"{weights[0]}+bias", np.concatenate([numbers(bias) for bias in biases]))
        return self.node("Add", [self._product(x, weights, bits, 1), whole], outputs)

    def _product(self, x: str, weights: Sequence[str], bits: Bits | None, outputs: int | list[str]) -> str:
        name = "+".join(weights)
        if self._kind == "fp32":
            self.keep(name, np.concatenate([numbers(self._tensor(each)) for each in weights]))
            return self.node("FusedMatMul", [x, name], outputs, domain=DOMAIN, transB=1)
        found = stacked([matrix(self._tensor(each), bits or PRODUCTS[self._kind]) for each in weights])
        rows, columns = found.shape
        inputs = [x, self.keep(name, found.levels), self.keep(f"{name}.scales", found.scales)]
        if found.zeros is not None:
            inputs.append(self.keep(f"{name}.zeros", found.zeros))
        settings = {"K": columns, "N": rows, "bits": found.bits, "block_size": BLOCK}
        return self.node("MatMulNBits", inputs, outputs, domain=DOMAIN, accuracy_level=INT8_ACTIVATIONS, **settings)

    def table(self, weight: str, places: str) -> str:
        """Look up rows of a table; where it is the last matrix too, the file holds it once."""
        if self._kind == "fp32":
            return self.node("Gather", [self.keep(weight, numbers(self._tensor(weight))), places])
        found = matrix(self._tensor(weight), 8)
        levels = self.node("Gather", [self.keep(weight, found.levels), places])
        rows = self.node("Gather", [self.keep(f"{weight}.scales", found.scales), places])
        scales = self.node("Unsqueeze", [rows, self.keep("end", np.array([-1], dtype=np.int64))])
        middle = self.keep("middle", np.array(HALF, dtype=np.float32))
        steps = self.node("Sub", [self.node("Cast", [levels], to=1), middle])
        wide = self.keep("wide", np.array([0, 0, found.shape[1]], dtype=np.int64))
        return self.node("Reshape", [self.node("Mul", [steps, scales]), wide])

    def attention(self, mixed: str, number: int, heads: int, key_heads: int, *, interleaved: bool) -> str:
        """Let each token look at those before it; the memory of the conversation is written in place."""
        inputs = [mixed, "", "", f"past_key.{number}", f"past_value.{number}", "last", "total", "cos", "sin"]
        outputs = [f"attended.{number}", f"present_key.{number}", f"present_value.{number}"]
        settings = {"num_heads": heads, "kv_num_heads": key_heads, "do_rotary": 1}
        return self.node(
            "GroupQueryAttention", inputs, outputs, domain=DOMAIN, rotary_interleaved=int(interleaved), **settings
        )

    def halves(self, both: str) -> tuple[str, str]:
        """Cut the last axis in two."""
        outputs = [f"{both}.first", f"{both}.second"]
        self.node("Split", [both], outputs, axis=-1, num_outputs=2)
        return outputs[0], outputs[1]

    def model(self, shape: Shape) -> Any:
        """Return the whole as an onnx.ModelProto."""
        from onnx import TensorProto, helper

        def entry(name: str, kind: int, sizes: Sequence[int | str]) -> Any:
            return helper.make_tensor_value_info(name, kind, sizes)

        memory: list[int | str] = [1, shape.key_heads, "room", shape.head_size]
        names = [f"{part}.{number}" for number in range(shape.layers) for part in ("key", "value")]
        inputs = [
            entry("input_ids", TensorProto.INT64, [1, "count"]),
            entry("wanted", TensorProto.INT64, ["asked"]),
            entry("last", TensorProto.INT32, [1]),
            entry("total", TensorProto.INT32, [1]),
            *(entry(f"past_{name}", TensorProto.FLOAT, memory) for name in names),
        ]
        outputs = [
            entry("logits", TensorProto.FLOAT, [1, "asked", "vocabulary"]),
            *(entry(f"present_{name}", TensorProto.FLOAT, memory) for name in names),
        ]
        graph = helper.make_graph(self._nodes, "decoder", inputs, outputs, list(self._kept.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="amauta")
        model.ir_version = IR_VERSION
        return model

    def _tensor(self, name: str) -> Any:
        found = self._tensors.get(name)
        if found is None:
            raise RecipeError("onnx-failed", path=name, reason="-")
        return found
