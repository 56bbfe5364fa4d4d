"""Measure a file against its parent's reference, on any machine: `amauta-quantize score MODEL REFERENCE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edge.onnx.opening import open_engine
from quantize.measure import reference, score

RESAMPLES, SEED = 1000, 1


def against_reference(model: Path, given: Path) -> dict[str, dict[str, Any]]:
    """Return, by language, what `quantize.measure.score.summary` returns, but for what only the parent knows."""
    kept = reference.read(given)
    with open_engine(model) as engine:
        return score.summary(reference.distances(kept, engine), RESAMPLES, SEED)


def show(model: Path, given: Path, as_json: bool) -> None:
    """Print the figures: a table, or JSON."""
    found = against_reference(model, given)
    if as_json:
        sys.stdout.write(f"{json.dumps(found)}\n")
        return
    sys.stdout.write(
        f"{'lang':5} {'tokens':>7} {'KLD':>10} {'[95 %':>10} {']':>10} {'99.9 %':>9} {'top-1':>7} {'PPL':>9}\n"
    )
    for lang, row in found.items():
        value, low, high = row["kld"]
        sys.stdout.write(
            f"{lang:5} {row['tokens']:7} {value:10.6f} {low:10.6f} {high:10.6f} "
            f"{row['kld_999'][0]:9.4f} {row['top1'][0]:7.2%} {row['perplexity']:9.3f}\n"
        )
