"""Keep sums on disk while a long measurement runs, and read what one left behind."""

from __future__ import annotations

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.files import write_atomic
from quantize.bits.ggml import BitsError

CHECKPOINT_SECONDS = 20.0


def load(path: Path) -> tuple[dict[str, dict[str, NDArray[Any]]], dict[str, Any]]:
    """Read what `importance` wrote: arrays by kind and name of tensor, and its facts."""
    found: dict[str, dict[str, NDArray[Any]]] = {"imatrix": {}, "error": {}, "fisher": {}}
    try:
        with np.load(path) as archive:
            facts = json.loads(str(archive["facts"]))
            for key in archive.files:
                kind, _, name = key.partition("/")
                if kind in found:
                    found[kind][name] = archive[key]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BitsError("bits-importance", path=path, reason=str(error) or type(error).__name__) from error
    return found, facts


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays to an .npz file, whole or not at all."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    write_atomic(path, buffer.getvalue())


def resume(checkpoint: Path) -> tuple[dict[str, Any], int]:
    """Return the sums and the number of windows that a run cut off had counted."""
    if not checkpoint.is_file():
        return {}, 0
    with np.load(checkpoint) as archive:
        return {name: archive[name] for name in archive.files if name != "done"}, int(archive["done"])


class Clock:
    """Says how far a long measurement is, and when to keep what was done."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._kept = self._said = time.monotonic()

    def tick(self, done: int) -> None:
        """Say on stderr, from time to time, how far it is."""
        now = time.monotonic()
        if now - self._said >= CHECKPOINT_SECONDS or (done >= self._total and now - self._said > 2):
            self._said = now
            print(f"  {self._what}: {done} of {self._total}", file=sys.stderr, flush=True)

    def due(self) -> bool:
        """Tell whether it is time to keep what was done, and count from now."""
        if time.monotonic() - self._kept < CHECKPOINT_SECONDS:
            return False
        self._kept = time.monotonic()
        return True
