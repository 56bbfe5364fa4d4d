"""Run long work in steps that a power cut or a `kill -9` never leaves half trusted.

A step's receipt is written last and removed before its work begins, so its
presence means finished. A step is skipped when its receipt names the same inputs
and its output is still the one it made. What a step keeps for itself while
working (checkpoints) is its own affair.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.files import sha256_of, write_atomic

Input = str | int | float | Path
"""A plain value, or a file or folder that counts by its content."""


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work: what it makes, from what, and how."""

    name: str
    output: Path
    """A file or a folder. It must exist when `make` returns."""

    inputs: Mapping[str, Input]
    make: Callable[[], None]


def receipt_of(output: Path) -> Path:
    """Return where the receipt for `output` is kept: beside it, never inside it."""
    return output.with_name(f"{output.name}.receipt.json")


def run_step(output: Path, inputs: Mapping[str, Input], make: Callable[[], None], receipt: Path | None = None) -> bool:
    """Make `output` unless its receipt says it was made from the same inputs; tell whether work was done."""
    receipt = receipt or receipt_of(output)
    if is_done(output, inputs, receipt):
        return False
    receipt.unlink(missing_ok=True)
    named = fingerprints(inputs)
    make()
    facts = {"inputs": named, "output": fingerprint(output)}
    write_atomic(receipt, json.dumps(facts, indent=2, sort_keys=True).encode())
    return True


def is_done(output: Path, inputs: Mapping[str, Input], receipt: Path | None = None) -> bool:
    """Tell whether `output` was finished from exactly these inputs."""
    try:
        facts = json.loads((receipt or receipt_of(output)).read_bytes())
    except (OSError, ValueError):
        return False
    same = isinstance(facts, dict) and facts.get("inputs") == fingerprints(inputs)
    return same and output.exists() and facts.get("output") == fingerprint(output)


def fingerprints(inputs: Mapping[str, Input]) -> dict[str, str]:
    """Return what a receipt records of the inputs: values as they are, files by their hash."""
    return {name: fingerprint(value) if isinstance(value, Path) else str(value) for name, value in inputs.items()}


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and contents; "absent" when there is none."""
    if path.is_file():
        return sha256_of(path)
    if not path.is_dir():
        return "absent"
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()
