"""Is a question of a kind that this library answers, or of a kind that it is known not to hold?

Pure: where the question stands, and where the questions stand that are answered and those
that are known not to be.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.library.meaning import Floats

NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a question stands among known ones."""

    answered: float
    """Cosine to the nearest question that is answered."""

    unheld: float
    """Cosine to the nearest question that is known not to be."""

    share: float
    """The part of its nearest neighbours that is answered, nearer ones counting more."""


def outlook(centre: Floats, answered: Floats, unheld: Floats) -> Outlook | None:
    """Return where `centre`, shape (width,), stands among questions, shapes (n, width); None when a kind is missing."""
    import numpy as np

    if not len(answered) or not len(unheld):
        return None
    near = np.concatenate([answered @ centre, unheld @ centre])
    is_answered = np.arange(len(near)) < len(answered)
    nearest = np.argsort(-near)[:NEIGHBOURS]
    weights = np.maximum(near[nearest], 0.0)
    share = float((weights * is_answered[nearest]).sum() / (weights.sum() + 1e-6))
    return Outlook(float(near[: len(answered)].max()), float(near[len(answered) :].max()), share)


def verdict_features(bank_fit: float, read_fit: float, seen: Outlook) -> tuple[float, ...]:
    """Return what the last judge weighs: the best bank answer, the best reading, and the outlook."""
    return (bank_fit, read_fit, *astuple(seen))
