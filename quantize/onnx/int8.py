"""Int8 that computes in int8: weights rounded once, activations while the model runs.

Weights keep 7 bits and one scale a column: processors without VNNI add pairs of products in 16 bits, which 8 bits
overflow. The device's reader is made by the same function.
"""

from __future__ import annotations

from pathlib import Path

from quantize.recipe import RecipeError

FAST_OPERATORS = ("MatMul",)
SMALL_OPERATORS = ("MatMul", "Gather")
"""With the embeddings: a quarter of their size, a little less exact."""


def quantize_int8(source: Path, output: Path, operators: tuple[str, ...] = SMALL_OPERATORS) -> None:
    """Write the int8 file `output` from an fp32 ONNX file; raise RecipeError when onnxruntime refuses."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    try:
        quantize_dynamic(
            source,
            output,
            op_types_to_quantize=list(operators),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=source.with_name("model.onnx_data").is_file(),
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise RecipeError("onnx-failed", path=source, reason=str(error).splitlines()[0][:200]) from error
