"""Measure the ONNX form of a model on this machine, so that the faster of both forms can answer."""

from __future__ import annotations

import os
from collections.abc import Callable

from edge.gauge.bandwidth import memory_bandwidth
from edge.gauge.measure import WORTH, Trial, usable_cores
from edge.gauge.pace import read_pace, write_pace
from edge.onnx.decoder import OnnxEngine
from edge.onnx.session import runtime_version
from edge.processor import read_processor
from edge.release.installed import InstalledModel
from edge.tutor.tuning import Measured, Tuning

SHARE = 0.3
"""Of the seconds that are given to a model with two forms."""


def measure_onnx(
    model: InstalledModel, seconds: float, gguf: Measured | None, at: str, tell: Callable[[Trial], None]
) -> Measured:
    """Return what the ONNX file does here, trying for about `seconds`; `tell` hears of each trial.

    What was measured of the GGUF file of the same model, if it is here, tells how fast the memory is.
    """
    cores = usable_cores()
    memory = gguf.memory_gigabytes_per_s if gguf else round(memory_bandwidth(cores), 3)
    share = seconds / (2 * cores)
    trials = []
    for count in range(1, cores + 1):
        tuning = Tuning(count, count, flash=False)
        with OnnxEngine.open(model.path, tuning=tuning) as engine:
            trials.append(Trial(tuning, read_pace(engine, share), write_pace(engine, share)))
        tell(trials[-1])
    best = trials[0]
    for trial in trials[1:]:
        if trial.write > WORTH * best.write:
            best = trial
    return Measured(
        model=model.id,
        sha256=model.sha256,
        processor=read_processor(os.environ).name,
        llama=runtime_version(),
        tuning=best.tuning,
        write_tokens_per_s=round(best.write, 2),
        read_tokens_per_s=round(best.read, 2),
        gigabytes_per_s=round(best.write * model.size / 1e9, 3),
        memory_gigabytes_per_s=memory,
        at=at,
    )
