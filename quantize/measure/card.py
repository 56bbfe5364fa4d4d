"""Write the report card: flat figures and gates for the device, and all the detail for people. Reads sizes, nothing else.

A figure of a capability is the lowest over its languages and files: a model that
answers well in one language only may not answer in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.files import sha256_of
from edge.onnx.head import read_decoder_head
from edge.onnx.opening import ONNX
from edge.tutor.gguf import read_head
from quantize.measure.gates import gates_of
from quantize.measure.settings import MeasureSettings

SPEED = ("read_tokens_per_second", "write_tokens_per_second", "first_token_ms", "peak_mb")


def card_of(
    parent: Path,
    model: Path,
    reference: Path,
    hashes: Mapping[str, str],
    settings: MeasureSettings,
    measured: Mapping[str, Any],
    output: Path,
) -> dict[str, Any]:
    """Return the card of `model`; `hashes` are theirs, `measured` is what `evaluate` found."""
    figures = figures_of(measured)
    head = read_decoder_head(model) if model.suffix == ONNX else read_head(model)
    parameters, size = head.parameters, model.stat().st_size
    return {
        "model": settings.name,
        "file": model.name,
        "sha256": hashes["model"],
        "size": size,
        "licence": settings.licence,
        "notice": settings.notice,
        "languages": list(settings.languages),
        "parameters": parameters,
        "bits_per_weight": round(8 * size / parameters, 4),
        "parent": {"file": parent.name, "sha256": hashes["parent"], "size": parent.stat().st_size},
        "reference": {"file": reference.name, "sha256": sha256_of(reference), "size": reference.stat().st_size},
        "figures": figures,
        "capabilities": gates_of(settings.gates, figures, output),
        "measured": {**measured, "settings": {name: getattr(settings, name) for name in ("window", "tokens", "seed")}},
    }


def figures_of(measured: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures by their flat names: kld.es, top1.pt, grounded_answer.right, peak_mb ..."""
    figures: dict[str, float] = {}
    for lang, row in measured["chances"].items():
        figures |= {f"{name}.{lang}": row[name][0] for name in ("kld", "kld_999", "top1")}
        figures |= {f"{name}.{lang}": row[name] for name in ("perplexity", "bits_per_byte")}
    figures |= _task_figures(measured["tasks"])
    if speed := measured.get("speed"):
        figures |= {name: speed[name] for name in SPEED if name in speed}
    return {name: round(float(value), 6) for name, value in figures.items()}


def _task_figures(tasks: Mapping[str, Any]) -> dict[str, float]:
    figures: dict[str, float] = {}
    items: dict[str, int] = {}
    whole: list[tuple[float, int]] = []
    for name, found in tasks.items():
        kind, lang, _ = name.split(".", 2)
        items[f"{kind}.{lang}"] = items.get(f"{kind}.{lang}", 0) + found["items"]
        for mark, row in found["marks"].items():
            value = row["now"][0]
            figures[f"{kind}.{mark}.{lang}"] = min(value, figures.get(f"{kind}.{mark}.{lang}", value))
            figures[f"{kind}.{mark}"] = min(value, figures.get(f"{kind}.{mark}", value))
            if mark == "whole":
                whole.append((value, found["items"]))
    for name, count in items.items():
        kind = name.partition(".")[0]
        figures[f"{kind}.items"] = min(count, figures.get(f"{kind}.items", count))
    if whole:
        figures["answers_measured"] = sum(count for _, count in whole)
        figures["whole"] = sum(value * count for value, count in whole) / max(1, figures["answers_measured"])
    return figures
