"""From trained weights to the int8 file that devices run, through optimum."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from quantize.onnx.int8 import quantize_int8

TASK = "token-classification"


def export_network(network: Any, destination: Path) -> float:
    """Write the network as int8 ONNX; return the largest difference of the fp32 graph from torch.

    Optimum exports the unchanged BERT; how it becomes int8 is that of every encoder.
    """
    from optimum.exporters.onnx import onnx_export_from_model

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network.config._attn_implementation = "eager"
        onnx_export_from_model(network, folder, task=TASK, do_validation=False)
        difference = _difference(network, folder / "model.onnx")
        destination.parent.mkdir(parents=True, exist_ok=True)
        quantize_int8(folder / "model.onnx", destination)
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
