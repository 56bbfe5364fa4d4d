"""Draw the windows that a student learns from: every source as often as its share says, answers counting most.

The same draws as a training would make, written down once, so that a teacher can think about them and students with and
without it see the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quantize.lm.encode import load_streams
from quantize.lm.settings import LmSettings
from quantize.lm.train import Batches
from quantize.shrink.windows import save_windows


def draw_windows(streams: Path, settings: LmSettings, seed: int, output: Path) -> None:
    """Write windows of `settings.tokens` tokens in all, drawn from the streams."""
    count = -(-settings.tokens // (settings.rows * settings.context)) * settings.rows
    batches = Batches(load_streams(streams), settings, seed)
    tokens = np.empty((count, settings.context + 1), dtype=np.uint16)
    weights = np.empty((count, settings.context), dtype=np.uint8)
    for at in range(0, count, settings.rows):
        inputs, targets, counts = batches.draw()
        tokens[at : at + settings.rows, :-1] = inputs.numpy()
        tokens[at : at + settings.rows, -1] = targets[:, -1].numpy()
        weights[at : at + settings.rows] = np.rint(counts.numpy() * 10)
    save_windows(output, tokens, weights)
