"""From a checkpoint folder to an fp32 ONNX folder, through optimum."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.files import sha256_of
from quantize.onnx.folder import TASKS, check_task, making, write_onnx_facts
from quantize.recipe import RecipeError

UNUSED_HEADS = ("pooler.",)
"""Weights that a task does not use, so that a checkpoint may lack them."""


def export(folder: Path, task: str, output: Path) -> None:
    """Write `output`, an fp32 ONNX folder, from a checkpoint folder; raise RecipeError when that cannot be.

    Weights are read from safetensors only and computed in 32 bits whatever the checkpoint keeps.
    """
    family = check_task(folder, task)
    with quiet():
        network = load_network(folder, task)
        with making(output, folder) as place:
            _export(network, task, place)
            write_onnx_facts(place, task, family, "fp32", _weights_hash(folder))


def load_network(folder: Path, task: str) -> Any:
    """Return the torch network of a checkpoint for `task`, in 32 bits; raise RecipeError when weights are missing or broken.

    A head that the checkpoint lacks would be filled with random numbers: that is refused.
    """
    import torch
    import transformers

    if not any(folder.glob("*.safetensors")):
        raise RecipeError("onnx-lacks", path=folder, name="*.safetensors")
    loader = getattr(transformers, TASKS[task])
    try:
        network, report = loader.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="eager",
            output_loading_info=True,
        )
    except _refusals() as error:
        raise RecipeError("onnx-failed", path=folder, reason=_first_line(error)) from error
    missing = [name for name in report["missing_keys"] if not any(head in name for head in UNUSED_HEADS)]
    if missing or report["mismatched_keys"]:
        named = ", ".join([*missing, *(str(key[0]) for key in report["mismatched_keys"])][:3])
        raise RecipeError("onnx-head", path=folder, task=task, names=named)
    for name, weights in network.named_parameters():
        if not torch.isfinite(weights).all():
            raise RecipeError("onnx-nan", path=folder, name=name)
    return network.eval()


def _export(network: Any, task: str, place: Path) -> None:
    from optimum.exporters.onnx import onnx_export_from_model

    try:
        onnx_export_from_model(network, place, task=task, do_validation=False, no_post_process=False)
    except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
        raise RecipeError("onnx-failed", path=place, reason=_first_line(error)) from error


def _weights_hash(folder: Path) -> str:
    """Return one hash of all weight files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(f"{path.name} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _refusals() -> tuple[type[Exception], ...]:
    """Return what transformers and safetensors raise for a folder they cannot load."""
    from safetensors import SafetensorError

    return (SafetensorError, OSError, ValueError, RuntimeError, KeyError, TypeError)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep optimum, transformers and torch from writing pages to the screen."""
    from transformers.utils import logging as theirs

    before = theirs.get_verbosity()
    theirs.set_verbosity_error()
    names = ("optimum", "optimum.exporters.onnx", "torch.onnx", "root")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        theirs.set_verbosity(before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
