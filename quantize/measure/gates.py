"""Turn a recipe's thresholds and what was measured into the gates of a report card. Pure.

A gate says what was measured and what it must reach; whether it is open is decided
on the device (`edge.release.card`). What was not measured stays None, and so closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantize.recipe import RecipeError


def gates_of(wanted: Sequence[str], figures: Mapping[str, float], path: Path) -> dict[str, Any]:
    """Return the conditions of every capability in `wanted` ("grounded_answer right 0.85": capability, figure, least).

    The figure is looked for under the capability's own name first ("grounded_answer.right"),
    then as one for all ("whole"). `path` is the recipe that an error names.
    """
    gates: dict[str, Any] = {}
    for text in wanted:
        parts = text.split()
        try:
            capability, figure, least = parts[0], parts[1], float(parts[2])
        except (IndexError, ValueError) as error:
            raise RecipeError("recipe-gate", path=path, gate=text) from error
        value = figures.get(f"{capability}.{figure}", figures.get(figure))
        gate = gates.setdefault(capability, {"conditions": []})
        gate["conditions"].append({"figure": figure, "value": value, "least": least})
    return gates
