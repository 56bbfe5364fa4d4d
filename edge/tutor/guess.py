"""Guess which sentence answers from the clues of its words: a ranking of some hundred numbers.

Fitted by `quantize.reader.guess`; several small networks put side by side, so that
what one of them learned by chance counts little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.tutor.clues import CLUES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Guess:
    """One layer of tanh units over the clues, and their sum."""

    hidden: Floats
    """Shape (units, clues)."""

    bias: Floats
    """Shape (units,)."""

    out: Floats
    """Shape (units,)."""

    def shares(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return for each sentence of a passage the probability that it is the one that answers."""
        import numpy as np

        if not rows:
            return []
        scores = np.tanh(np.array(rows) @ self.hidden.T + self.bias) @ self.out
        lifts = np.exp(scores - scores.max())
        return [float(share) for share in lifts / lifts.sum()]


def parse_guess(found: Mapping[str, Any]) -> Guess:
    """Read what `quantize.reader.guess` wrote; raise ValueError, KeyError or TypeError when it is not that."""
    import numpy as np

    if tuple(found["clues"]) != CLUES:
        raise ValueError(f"clues are {found['clues']}")
    hidden, bias, out = (np.array(found[name], dtype=np.float64) for name in ("hidden", "bias", "out"))
    if hidden.shape != (len(out), len(CLUES)) or bias.shape != out.shape or out.ndim != 1:
        raise ValueError("the guess lacks weights")
    return Guess(hidden, bias, out)


def no_guess() -> dict[str, Any]:
    """Return a guess that finds every sentence equally likely."""
    return {"clues": list(CLUES), "hidden": [[0.0] * len(CLUES)], "bias": [0.0], "out": [0.0]}
