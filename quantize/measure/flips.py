"""How many answers changed between parent and model, item by item. Pure.

On the same items the difference of two shares is known far better than either share:
most items agree and cancel out. "Accuracy is not all you need" (Dutta et al. 2024,
arXiv 2407.09141): equal accuracy may hide many flips, and a pupil sees the flips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantize.measure import bootstrap
from quantize.measure.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class Flips:
    """One set of items, answered by both."""

    items: int
    before: Interval
    """The parent's mean mark."""

    now: Interval
    """The model's."""

    difference: Interval
    """Model minus parent, on the same items."""

    flipped: Interval
    """The share of items that went from right to wrong or from wrong to right."""

    lost: int
    """Right before, wrong now."""

    won: int


def compare(parent: Sequence[float], model: Sequence[float], resamples: int, seed: int) -> Flips:
    """Compare marks from 0 to 1 of the same items; a mark of at least a half counts as right for flips."""
    theirs, ours = np.asarray(parent, dtype=np.float64), np.asarray(model, dtype=np.float64)
    was, is_now = theirs >= 0.5, ours >= 0.5
    return Flips(
        len(ours),
        bootstrap.of_items(theirs, resamples, seed),
        bootstrap.of_items(ours, resamples, seed),
        bootstrap.of_items(ours - theirs, resamples, seed, (-1.0, 1.0)),
        bootstrap.of_items((was != is_now).astype(np.float64), resamples, seed),
        int((was & ~is_now).sum()),
        int((is_now & ~was).sum()),
    )
