"""Write several sticks at once: a thread each, one survey for all that get the same content."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from devkit.errors import KitError
from devkit.write.job import Job, Means, Outcome, do
from devkit.write.passage import Phase
from devkit.write.survey import Survey

LOOK_S = 0.2


@dataclass(slots=True)
class Gauge:
    """How far one stick is; its thread writes, the screen reads."""

    job: Job
    phase: Phase = "probe"
    done: int = 0
    total: int = 1
    began: float = 0.0
    outcome: Outcome | None = None

    def moved(self, phase: Phase, done: int, total: int) -> None:
        """Take note; the screen looks when it has time."""
        if phase != self.phase or not self.began:
            self.began = time.monotonic()
        self.phase, self.done, self.total = phase, done, total


Paint = Callable[[Sequence[Gauge]], None]


def write_all(jobs: Sequence[Job], means: Means, paint: Paint) -> list[Outcome]:
    """Return what became of each job; the first interruption stops them all at their next chunk."""
    refuse_twice(jobs)
    try:
        means.receipts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KitError("receipt-disk", folder=means.receipts, reason=error.strerror or str(error)) from error
    gauges = [Gauge(job) for job in jobs]
    surveys = {job.source: Survey(job.source) for job in jobs}
    threads = [threading.Thread(target=survey.run, daemon=True) for survey in surveys.values()]
    for thread in threads:
        thread.start()
    with ThreadPoolExecutor(len(jobs)) as pool:
        waiting = {pool.submit(do, gauge.job, surveys[gauge.job.source], gauge, means): gauge for gauge in gauges}
        pending = set(waiting)
        while pending:
            try:
                finished, pending = wait(pending, timeout=LOOK_S)
            except KeyboardInterrupt:
                means.stop.set()
                for survey in surveys.values():
                    survey.stop()
                continue
            for future in finished:
                waiting[future].outcome = future.result()
            paint(gauges)
    for thread, survey in zip(threads, surveys.values(), strict=True):
        survey.stop()
        thread.join()
    return [gauge.outcome for gauge in gauges if gauge.outcome]


def refuse_twice(jobs: Sequence[Job]) -> None:
    """Two sticks cannot go on one disk, nor one stick on two."""
    for names in ([job.disk.path for job in jobs], [job.stick.name for job in jobs]):
        if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
            raise KitError("write-twice", name=twice)
