"""What a person sees while several sticks are written: a bar each on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import IO

from devkit.write.crew import Gauge
from edge.words import Words

BAR_WIDTH = 20
EVERY_SHARE = 0.25
"""Between two lines where there is no terminal."""


class Bars:
    """One bar a stick, drawn over the last ones."""

    def __init__(self, words: Words, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._words, self._stream, self._clock, self._drawn = words, stream, clock, 0

    def __call__(self, gauges: Sequence[Gauge]) -> None:
        """Draw every stick anew."""
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        lines = [f"\r{self._line(gauge)}\x1b[K\n" for gauge in gauges]
        self._stream.write(up + "".join(lines))
        self._stream.flush()
        self._drawn = len(gauges)

    def _line(self, gauge: Gauge) -> str:
        full = BAR_WIDTH * gauge.done // max(gauge.total, 1)
        rate = gauge.done / max(self._clock() - gauge.began, 0.1) if gauge.began else 0.0
        left = round((gauge.total - gauge.done) / rate) if rate else 0
        return self._words.say(
            "write.bar",
            stick=gauge.job.stick.name[:16],
            disk=gauge.job.disk.path.removeprefix("/dev/"),
            phase=phase_of(gauge, self._words),
            bar="#" * full + "." * (BAR_WIDTH - full),
            percent=100 * gauge.done // max(gauge.total, 1),
            left=f"{left // 60}:{left % 60:02}",
        )


class Lines:
    """A line when a stick enters another phase, and at every quarter of it."""

    def __init__(self, words: Words, stream: IO[str]) -> None:
        self._words, self._stream = words, stream
        self._said: dict[str, tuple[str, int]] = {}

    def __call__(self, gauges: Sequence[Gauge]) -> None:
        """Say what is new."""
        for gauge in gauges:
            quarter = int(gauge.done / max(gauge.total, 1) / EVERY_SHARE)
            state = (phase_of(gauge, self._words), quarter)
            if self._said.get(gauge.job.disk.path) == state:
                continue
            self._said[gauge.job.disk.path] = state
            percent = 100 * gauge.done // max(gauge.total, 1)
            facts = {"stick": gauge.job.stick.name, "disk": gauge.job.disk.path, "phase": state[0]}
            self._stream.write(f"{self._words.say('write.line', percent=percent, **facts)}\n")
            self._stream.flush()


def phase_of(gauge: Gauge, words: Words) -> str:
    """Return what is going on with a stick, in words."""
    if gauge.outcome is None:
        return words.say(f"write.phase.{gauge.phase}")
    return words.say("write.phase.good" if gauge.outcome.receipt else "write.phase.bad")
