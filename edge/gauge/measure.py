"""Measure one model on this machine and choose how it runs fastest, in about twenty seconds.

Threads are tried one by one up to the processor's real cores; two threads on one core only get in each other's way.
What 8-bit numbers would do for the memory of the conversation is told, not chosen: report cards are measured with 16.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.gauge.bandwidth import memory_bandwidth
from edge.gauge.pace import read_pace, write_pace
from edge.processor import physical_cores, read_processor
from edge.release.installed import InstalledModel
from edge.tutor.gguf import read_head
from edge.tutor.llama import Kv, LlamaEngine
from edge.tutor.tuning import Measured, Tuning, llama_version

MOST_THREADS = 8
WORTH = 1.03
"""A choice other than the usual one must be this much faster."""

DEEP_TOKENS = 512
"""So much conversation before the writing by which attention is chosen, where reading it takes a moment only."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to run the model."""

    tuning: Tuning
    read: float
    write: float


@dataclass(frozen=True, slots=True)
class Deep:
    """Writing after a long conversation."""

    write: float
    memory_bytes: int
    """What a whole conversation takes in memory."""


@dataclass(frozen=True, slots=True)
class Halved:
    """What the memory of the conversation does in 16-bit and in 8-bit numbers, both with flash attention."""

    usual: Deep
    halved: Deep


Tell = Callable[[Trial | Halved], None]


def measure(model: InstalledModel, seconds: float, at: str, tell: Tell) -> Measured:
    """Return what `model` does here, trying for about `seconds`; `tell` hears of each trial."""
    cores = usable_cores()
    memory = memory_bandwidth(cores)
    share = seconds / (2 * cores + 5)
    trials = []
    for threads in range(1, cores + 1):
        trials.append(_trial(model, Tuning(threads, threads, flash=True), share))
        tell(trials[-1])
    write, read = _best([trial.write for trial in trials]), _best([trial.read for trial in trials])
    chosen = Tuning(write + 1, read + 1, flash=True)
    after = max(32, min(DEEP_TOKENS, int(trials[read].read * share)))
    deep, plain = (_deep(model, tuning, share, after) for tuning in (chosen, replace(chosen, flash=False)))
    tell(Halved(deep, _deep(model, chosen, share, after, kv="q8_0")))
    if plain.write > WORTH * deep.write:
        chosen = replace(chosen, flash=False)
    rate = trials[write].write
    weights = model.size - read_head(model.path).looked_up_bytes
    return Measured(
        model=model.id,
        sha256=model.sha256,
        processor=read_processor(os.environ).name,
        llama=llama_version(),
        tuning=chosen,
        write_tokens_per_s=round(rate, 2),
        read_tokens_per_s=round(trials[read].read, 2),
        gigabytes_per_s=round(rate * weights / 1e9, 3),
        memory_gigabytes_per_s=round(memory, 3),
        at=at,
    )


def usable_cores() -> int:
    """Return how many threads are tried at most."""
    return min(physical_cores(), MOST_THREADS)


def _trial(model: InstalledModel, tuning: Tuning, share: float) -> Trial:
    with LlamaEngine.open(model.path, tuning=tuning) as engine:
        return Trial(tuning, read_pace(engine, share), write_pace(engine, share))


def _best(rates: list[float]) -> int:
    """Return the place of the fastest; more threads must be worth it, for they warm the room and starve the screen."""
    best = 0
    for place, rate in enumerate(rates):
        if rate > WORTH * rates[best]:
            best = place
    return best


def _deep(model: InstalledModel, tuning: Tuning, share: float, after: int, kv: Kv = "f16") -> Deep:
    with LlamaEngine.open(model.path, tuning=tuning, kv=kv) as engine:
        write = write_pace(engine, share, after=after)
        return Deep(write, engine.memory_bytes)
