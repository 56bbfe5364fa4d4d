"""What a training step reads: windows of the right sources, the same draws on every device."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "gguf", "tokenizers")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import torch

from quantize.lm.encode import Stream
from quantize.lm.settings import LmSettings
from quantize.lm.train import Batches, faster_type, training_device
from quantize.recipe import RECIPES, load_recipe, read_table

TINY = replace(
    read_table(load_recipe(str(RECIPES / "recipes" / "mini-tiny.toml")), LmSettings),
    context=16,
    rows=40,
    shares=("plain 0.5", "short 0.1", "asked 0.4", "absent 0.3"),
)


def stream(first: int, count: int, starts: tuple[int, ...] = ()) -> Stream:
    """Return a source whose tokens count up from `first`, with weights from 1 to 7."""
    tokens = np.arange(first, first + count, dtype=np.uint16)
    return Stream(tokens, (tokens % 7 + 1).astype(np.uint8), np.array(starts, dtype=np.int64))


STREAMS = {
    "plain": stream(1000, 300),
    "short": stream(5000, 5),
    "asked": stream(7000, 200, (0, 40, 90, 195)),
}


def as_ever(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first batch as training did before sources lay end to end."""
    random = np.random.default_rng(seed)
    names = ["plain", "short", "asked"]
    longer = {
        **STREAMS,
        "short": Stream(
            np.tile(STREAMS["short"].tokens, 4), np.tile(STREAMS["short"].weights, 4), STREAMS["short"].starts
        ),
    }
    rows, counts = [], []
    for _ in range(TINY.rows):
        found = longer[names[random.choice(3, p=[0.5, 0.1, 0.4])]]
        last = len(found.tokens) - 17
        at = (
            int(random.integers(last + 1))
            if not len(found.starts)
            else min(last, int(found.starts[random.integers(len(found.starts))]))
        )
        rows.append(found.tokens[at : at + 17])
        counts.append(found.weights[at + 1 : at + 17] / 10.0)
    return np.stack(rows), np.stack(counts)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_windows_are_those_that_the_seed_always_drew(seed: int) -> None:
    inputs, targets, weights = Batches(STREAMS, TINY, seed).draw()
    rows, counts = as_ever(seed)
    assert np.array_equal(inputs.numpy(), rows[:, :-1])
    assert np.array_equal(targets.numpy(), rows[:, 1:])
    assert np.allclose(weights.numpy(), counts)


def test_no_window_runs_from_one_source_into_the_next() -> None:
    batches = Batches(STREAMS, TINY, 9)
    for _ in range(20):
        inputs, targets, _ = batches.draw()
        windows = torch.cat((inputs, targets[:, -1:]), 1)
        assert bool((windows.max(1).values - windows.min(1).values <= 16).all())


def test_a_processor_and_a_gpu_each_get_the_numbers_they_multiply_faster() -> None:
    device = training_device()
    assert device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    left = torch.ones(8, 8, dtype=faster_type(device), device=device)
    assert float((left @ left)[0, 0]) == 8.0
