"""How fast a loaded model reads and writes, within the seconds given.

Other programs can only slow a token down, so the median token counts for writing and the best reading for reading.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from edge.onnx.opening import Loaded

TEXT = "La planta toma agua del suelo por la raíz y la lleva por el tallo hasta las hojas. "
FIRST_TOKENS, MOST_TOKENS = 32, 256
LEAST_WRITTEN = 4


def read_pace(engine: Loaded, seconds: float) -> float:
    """Return the tokens a second that are read when many are given at once."""
    most = min(MOST_TOKENS, engine.context_tokens - 1)
    best, count, left = 0.0, min(FIRST_TOKENS, most), seconds
    for number in range(3):
        taken = read_seconds(engine, _text(engine, number, count))
        best, left = max(best, count / taken), left - taken
        count = max(count, min(most, int(best * left / 2)))
        if left < count / best:
            break
    return best


def write_pace(engine: Loaded, seconds: float, *, after: int = FIRST_TOKENS) -> float:
    """Return the tokens a second that are written one after another, with `after` tokens read before."""
    room = engine.context_tokens
    text = _text(engine, 0, room)
    begun = min(after, room // 2)
    read_seconds(engine, text[:begun])
    times: list[float] = []
    for end in range(begun + 1, room):
        times.append(read_seconds(engine, text[:end]))
        if len(times) >= LEAST_WRITTEN and sum(times) > seconds:
            break
    return 1 / median(times)


def _text(engine: Loaded, number: int, count: int) -> list[int]:
    """Return tokens that no other round began with."""
    tokens = engine.tokens_of(TEXT * 8)
    turned = tokens[number % len(tokens) :] + tokens[: number % len(tokens)]
    return (turned * (count // len(turned) + 1))[:count]


def read_seconds(engine: Loaded, tokens: Sequence[int]) -> float:
    """Return the seconds it takes to read what is new in `tokens` and to score what follows."""
    began = time.perf_counter()
    for _ in engine.scores_of(tokens, start=len(tokens) - 1):
        pass
    return time.perf_counter() - began
