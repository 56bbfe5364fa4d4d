"""Write the report card: what was measured, and which capabilities that opens."""

from __future__ import annotations

import json
from pathlib import Path

from edge.files import sha256_of, write_atomic
from edge.tutor.gguf import read_head
from quantize.lm.settings import LmSettings
from quantize.measure.gates import gates_of
from quantize.recipe import Recipe


def write_card(
    recipe: Recipe,
    settings: LmSettings,
    corpus: Path,
    folder: Path,
    model: Path,
    licence: str,
    output: Path,
) -> None:
    """Measure `model`, made from the Hugging Face folder, on what was held out of `corpus`; write its card."""
    from quantize.lm.evaluate import measure
    from quantize.lm.history import read_history, tokens_seen

    gates_of(settings.gates, {}, recipe.path)  # a gate that cannot be read is better found before the long part
    figures = measure(model, corpus, settings.evaluation_questions)
    card = {
        "model": recipe.name,
        "file": f"{recipe.name}.gguf",
        "sha256": sha256_of(model),
        "size": model.stat().st_size,
        "licence": licence,
        "languages": ["es", "pt"],
        "parameters": read_head(model).parameters,
        "training_tokens": tokens_seen(folder),
        "history": read_history(folder),
        "quantization": settings.quantization,
        "figures": figures,
        "capabilities": gates_of(settings.gates, figures, recipe.path),
    }
    write_atomic(output, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
