"""How llama.cpp is to run one model on this machine: measured by `amauta doctor --measure`, remembered in a file.

What was measured counts only for the same model, the same processor and the same llama.cpp; for anything else
the cautious choice of `llama` is taken.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from edge.files import write_atomic
from edge.lean import version_of

FILE = "measured.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tuning:
    """The choices that change speed and nothing else."""

    write_threads: int
    """For one token after another; memory is the limit there."""

    read_threads: int
    """For a whole question at once; the processor is the limit there."""

    flash: bool
    """Whether attention is computed in one pass over the memory of the conversation."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one model does on this machine."""

    model: str
    sha256: str
    processor: str
    llama: str
    """Version of llama-cpp-python; of onnxruntime for a model that is an ONNX file."""

    tuning: Tuning
    write_tokens_per_s: float
    read_tokens_per_s: float
    gigabytes_per_s: float
    """Weights read while writing."""

    memory_gigabytes_per_s: float
    """What the memory gives at all."""

    at: str

    @property
    def percent(self) -> int:
        """Return how much of the memory's speed the model uses while writing."""
        return round(100 * self.gigabytes_per_s / self.memory_gigabytes_per_s)


@cache
def llama_version() -> str:
    """Return the version of the installed llama-cpp-python, or nothing."""
    return version_of("llama_cpp_python", "llama_cpp")


def remember(home: Path, measured: Measured) -> None:
    """Keep what was measured, beside what is known of other models; raises OSError."""
    kept = {each.sha256: each for each in _all(home)} | {measured.sha256: measured}
    facts = {"format": FORMAT, "models": [asdict(each) for each in kept.values()]}
    write_atomic(home / FILE, json.dumps(facts, indent=1, ensure_ascii=False).encode())


def remembered(home: Path, sha256: str, processor: str, runtime: str = "") -> Measured | None:
    """Return what was measured of this very model on this very processor with this very llama.cpp (or `runtime`), if it was."""
    version = runtime or llama_version()
    for each in _all(home):
        if sha256 and (each.sha256, each.processor, each.llama) == (sha256, processor, version):
            return each
    return None


def tuning_for(home: Path, sha256: str) -> Tuning | None:
    """Return how to run this model here, if that was measured."""
    from edge.processor import read_processor

    found = remembered(home, sha256, read_processor(os.environ).name)
    return found.tuning if found else None


def _all(home: Path) -> list[Measured]:
    """Return everything remembered; a file that is damaged is measured anew, it decides nothing but speed."""
    try:
        found = json.loads((home / FILE).read_bytes())
        return [_measured(each) for each in found["models"]] if found["format"] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _measured(found: dict[str, Any]) -> Measured:
    chosen = found["tuning"]
    tuning = Tuning(int(chosen["write_threads"]), int(chosen["read_threads"]), bool(chosen["flash"]))
    if not (1 <= tuning.write_threads <= 64 and 1 <= tuning.read_threads <= 64):
        raise ValueError("threads")
    numbers: dict[str, Any] = {f.name: float(found[f.name]) for f in fields(Measured) if f.name.endswith("_per_s")}
    if min(numbers.values()) <= 0:
        raise ValueError("speed")
    texts: dict[str, Any] = {name: str(found[name]) for name in ("model", "sha256", "processor", "llama", "at")}
    return Measured(tuning=tuning, **numbers, **texts)
