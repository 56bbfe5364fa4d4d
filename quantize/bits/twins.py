"""The same network twice: as `transformers` computes it and as llama.cpp stores it.

Which parameter is which tensor comes from llama.cpp's own table of names, and is
then checked on the numbers: a pair that does not match is refused. llama.cpp keeps
the query and key rows of Llama in another order; only that order may differ.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantize.bits.ggml import BitsError, kind_of, pack
from quantize.bits.parent import Parent, Tensor, read_parent

if TYPE_CHECKING:
    import torch

PROBE = 16
"""Columns that are compared."""

SAME, RELATED = 4e-3, 0.5
"""How far two matrices may be apart, of their length: what 16 bits lose, or what a short training moves."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A parameter and the tensor that holds the same numbers."""

    parameter: str
    tensor: Tensor
    order: NDArray[np.int64] | None
    """Row i of the tensor is row order[i] of the parameter; None when they are in the same order."""

    def to_torch(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a matrix in llama.cpp's order of rows in that of the parameter."""
        if self.order is None:
            return values
        back = np.empty_like(values)
        back[self.order] = values
        return back

    def to_gguf(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a matrix of the parameter in llama.cpp's order of rows; rows that the file left out are dropped."""
        return values[: self.tensor.rows] if self.order is None else values[self.order]

    def put(self, parameter: torch.Tensor, values: NDArray[np.float32]) -> None:
        """Write a matrix in llama.cpp's order into the parameter, whose further rows stay."""
        import torch

        given = torch.from_numpy(np.ascontiguousarray(self.to_torch(values)))
        parameter.data[: self.tensor.rows].copy_(given)


def load_model(folder: Path, device: str = "cpu") -> torch.nn.Module:
    """Load the network of a checkpoint folder in 32 bits, ready to compute; nothing is fetched."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BitsError("bits-folder", path=folder, reason=str(error).splitlines()[0]) from error
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise BitsError("bits-nan", path=folder, tensor=name)
    return model.eval().to(device)


def pick_device(wanted: str) -> str:
    """Return where to compute."""
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def pairs_of(model: torch.nn.Module, parent: Parent, tolerance: float = SAME) -> list[Pair]:
    """Return a pair for every tensor whose type may be chosen; raise BitsError when the two are not one model."""
    names = _gguf_names(model, parent)
    parameters = dict(model.named_parameters())
    found = []
    for tensor in parent.plannable:
        name = names.get(tensor.name)
        if name is None:
            raise BitsError("bits-twin-missing", path=parent.path, tensor=tensor.name)
        weights = parameters[name].detach()[:, :PROBE].float().cpu().numpy()
        found.append(Pair(name, tensor, _order_of(weights, parent, tensor, tolerance)))
    return found


def _gguf_names(model: torch.nn.Module, parent: Parent) -> dict[str, str]:
    """Return the parameter for each name in llama.cpp."""
    import gguf

    numbers = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    if parent.architecture not in numbers:
        raise BitsError("bits-architecture", path=parent.path, architecture=parent.architecture)
    table = gguf.get_tensor_name_map(numbers[parent.architecture], parent.fact("block_count"))
    names = {}
    for name, _ in model.named_parameters():
        plain = name.replace("model.language_model.", "model.").replace("language_model.model.", "model.")
        known = table.get_name(plain, try_suffixes=(".weight", ".bias"))
        if known is not None:
            names[known] = name
    return names


def _order_of(
    weights: NDArray[np.float32], parent: Parent, tensor: Tensor, tolerance: float
) -> NDArray[np.int64] | None:
    stored = parent.unpacked(tensor)[:, :PROBE]
    weights = weights[: tensor.rows]  # the converter leaves out words that no text can have (Gemma 3)
    if stored.shape != weights.shape:
        raise BitsError("bits-twin-differs", path=parent.path, tensor=tensor.name)
    scale = float(np.linalg.norm(stored)) or 1.0
    heads = parent.fact("attention.head_count")
    keys = parent.fact("attention.head_count_kv", heads)
    orders: list[NDArray[np.int64] | None] = [None]
    for count in (heads, keys):
        if count and tensor.rows % (2 * count) == 0:
            orders.append(np.arange(tensor.rows).reshape(count, 2, -1).swapaxes(1, 2).reshape(-1))
    for order in orders:
        ours = weights if order is None else weights[order]
        if float(np.linalg.norm(ours - stored)) <= tolerance * scale:
            return order
    raise BitsError("bits-twin-differs", path=parent.path, tensor=tensor.name)


def graft(gguf: Path, folder: Path, output: Path) -> None:
    """Write `output`: the GGUF file with the matrices of a folder that was trained further from the same model."""
    parent = read_parent(gguf)
    model = load_model(folder)
    parameters = dict(model.named_parameters())
    pairs = pairs_of(model, parent, RELATED)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    shutil.copyfile(gguf, partial)
    with partial.open("r+b") as file:
        for pair in pairs:
            values = pair.to_gguf(parameters[pair.parameter].detach().numpy())
            file.seek(pair.tensor.start)
            file.write(pack(values, kind_of(pair.tensor.kind)).tobytes())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(output)
