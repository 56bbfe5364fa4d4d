"""A model's report card: what was measured, and so what the model may do on a device.

A capability is open only when every one of its conditions was measured and met.
What was not measured is closed; a figure written by hand cannot open it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ModelError

CAPABILITIES = ("free_chat", "grounded_answer", "rephrase", "story", "hint", "exercise")


@dataclass(frozen=True, slots=True)
class Condition:
    """One figure and the least it must be."""

    figure: str
    value: float | None
    """None when it was not measured."""

    least: float

    @property
    def met(self) -> bool:
        """Tell whether the figure was measured and is high enough."""
        return self.value is not None and self.value >= self.least


@dataclass(frozen=True, slots=True)
class Gate:
    """The door to one capability."""

    conditions: tuple[Condition, ...]

    @property
    def open(self) -> bool:
        """Tell whether there are conditions and all of them are met."""
        return bool(self.conditions) and all(condition.met for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class ReportCard:
    """What one model was measured to do."""

    model: str
    capabilities: Mapping[str, Gate]
    figures: Mapping[str, float]
    sha256: str = ""
    """The file that was measured; another file has proved nothing."""

    def allows(self, capability: str) -> bool:
        """Tell whether the model may do this; what the card does not name it may not."""
        gate = self.capabilities.get(capability)
        return gate is not None and gate.open


def load(path: Path) -> ReportCard:
    """Read a card; raise ModelError when it cannot be read."""
    try:
        return parse(json.loads(path.read_bytes()))
    except OSError as error:
        raise ModelError("card-unreadable", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("card-broken", path=path, reason=str(error)) from error


def parse(found: Any) -> ReportCard:
    """Turn the content of a card file into a ReportCard; raise what `load` catches when it is none."""
    gates = {
        str(name): Gate(tuple(_condition(row) for row in gate["conditions"]))
        for name, gate in found["capabilities"].items()
    }
    figures = {str(name): float(value) for name, value in found.get("figures", {}).items()}
    return ReportCard(str(found["model"]), gates, figures, str(found.get("sha256", "")))


def _condition(row: Mapping[str, Any]) -> Condition:
    value = row["value"]
    return Condition(str(row["figure"]), None if value is None else float(value), float(row["least"]))
