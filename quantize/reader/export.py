"""From trained weights to the int8 file that devices run, through optimum."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from edge.errors import EdgeError

TASK = "token-classification"


def export_network(network: Any, destination: Path) -> float:
    """Write the network as int8 ONNX; return the largest difference of the fp32 graph from torch.

    Optimum exports the unchanged BERT and quantizes it: dynamic, per channel, weights of 7 bits so
    that processors without VNNI do not overflow.
    """
    from onnxruntime.quantization import QuantFormat, QuantizationMode, QuantType
    from optimum.exporters.onnx import onnx_export_from_model
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import QuantizationConfig

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network.config._attn_implementation = "eager"
        onnx_export_from_model(network, folder, task=TASK, do_validation=False)
        difference = _difference(network, folder / "model.onnx")
        config = QuantizationConfig(
            is_static=False,
            format=QuantFormat.QOperator,
            mode=QuantizationMode.IntegerOps,
            activations_dtype=QuantType.QUInt8,
            weights_dtype=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            operators_to_quantize=["MatMul", "Gather"],
        )
        quantizer = ORTQuantizer.from_pretrained(folder, file_name="model.onnx")
        quantizer.quantize(save_dir=folder / "int8", quantization_config=config)
        made = folder / "int8" / "model_quantized.onnx"
        if not made.is_file():
            raise EdgeError("step-interrupted", step="export", reason="optimum left no quantized model")
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, destination)
    return difference


def _difference(network: Any, path: Path) -> float:
    import onnxruntime
    import torch

    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, network.config.vocab_size, (2, 90), generator=generator)
    kinds = torch.randint(0, network.config.type_vocab_size, (2, 90), generator=generator)
    mask = torch.ones_like(ids)
    with torch.no_grad():
        wanted = network(input_ids=ids, token_type_ids=kinds, attention_mask=mask).logits
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {"input_ids": ids.numpy(), "token_type_ids": kinds.numpy(), "attention_mask": mask.numpy()}
    return float(abs(session.run(None, given)[0] - wanted.numpy()).max())
