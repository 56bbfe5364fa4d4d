"""Write the report card: what was measured, and which capabilities that opens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.files import sha256_of, write_atomic
from quantize.lm.settings import LmSettings
from quantize.recipe import Recipe, RecipeError


def write_card(
    recipe: Recipe,
    settings: LmSettings,
    corpus: Path,
    trained: Path,
    model: Path,
    licence: str,
    output: Path,
) -> None:
    """Measure `model` on what was held out of `corpus` and write its card."""
    from quantize.lm.evaluate import measure
    from quantize.lm.network import parameters_of
    from quantize.lm.train import load_trained

    gates_of(recipe, settings, {})  # a gate that cannot be read is better found before the long part
    figures = measure(model, corpus, settings.evaluation_questions)
    network, tokens = load_trained(trained, settings.shape())
    card = {
        "model": recipe.name,
        "file": f"{recipe.name}.gguf",
        "sha256": sha256_of(model),
        "size": model.stat().st_size,
        "licence": licence,
        "languages": ["es", "pt"],
        "parameters": parameters_of(network),
        "training_tokens": tokens,
        "quantization": settings.quantization,
        "figures": figures,
        "capabilities": gates_of(recipe, settings, figures),
    }
    write_atomic(output, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())


def gates_of(recipe: Recipe, settings: LmSettings, figures: Mapping[str, float]) -> dict[str, Any]:
    """Return the conditions of every capability, with what was measured; None where nothing was."""
    gates: dict[str, Any] = {}
    for text in settings.gates:
        parts = text.split()
        try:
            capability, figure, least = parts[0], parts[1], float(parts[2])
        except (IndexError, ValueError) as error:
            raise RecipeError("recipe-gate", path=recipe.path, gate=text) from error
        value = figures.get(f"{capability}.{figure}", figures.get(figure))
        gate = gates.setdefault(capability, {"conditions": []})
        gate["conditions"].append({"figure": figure, "value": value, "least": least})
    return gates
