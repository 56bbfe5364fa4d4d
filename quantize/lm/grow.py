"""Make a trained network deeper without changing a single one of its answers.

A new block is a copy of the one before it whose two outputs (attention and feed-forward) are zero, so that at first
it adds nothing to what flows past; training then finds a use for it. After Net2Net (Chen et al. 2015, 1511.05641)
and LLaMA Pro (Wu et al. 2024, 2401.02415).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from quantize.lm.settings import Shape
from quantize.recipe import RecipeError

OUTPUTS = ("self_attn.o_proj.weight", "mlp.down_proj.weight")
LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")


def load_grown(folder: Path, shape: Shape) -> dict[str, Tensor]:
    """Return the weights of a Hugging Face Llama folder, deepened to `shape`; refuse what cannot become it."""
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    if not path.is_file():
        raise RecipeError("grow-start", path=path)
    found = {name: weight.float() for name, weight in load_file(path).items() if name != "lm_head.weight"}
    return grown(found, shape, folder)


def grown(weights: Mapping[str, Tensor], shape: Shape, source: Path) -> dict[str, Tensor]:
    """Return `weights` with blocks that add nothing put evenly between those there are; `source` is for complaints."""
    old = 1 + max(int(found[1]) for name in weights if (found := LAYER.match(name)))
    rows, columns = weights["model.embed_tokens.weight"].shape
    if old > shape.layers or (rows, columns) != (shape.vocabulary, shape.hidden):
        have, want = f"{old} x {columns}, {rows}", f"{shape.layers} x {shape.hidden}, {shape.vocabulary}"
        raise RecipeError("grow-shape", path=source, have=have, want=want)
    made = {name: weight.clone() for name, weight in weights.items() if not LAYER.match(name)}
    parts = sorted({found[2] for name in weights if (found := LAYER.match(name))})
    for layer, (origin, fresh) in enumerate(origins(old, shape.layers)):
        for part in parts:
            weight = weights[f"model.layers.{origin}.{part}"]
            silent = fresh and part in OUTPUTS
            made[f"model.layers.{layer}.{part}"] = torch.zeros_like(weight) if silent else weight.clone()
    return made


def origins(old: int, new: int) -> list[tuple[int, bool]]:
    """Return, for each of `new` layers, the old layer it is from and whether it is a fresh copy."""
    sources = [layer * old // new for layer in range(new)]
    return [(source, layer > 0 and sources[layer - 1] == source) for layer, source in enumerate(sources)]
