"""Show how far long work is: a bar on a terminal, plain lines anywhere else.

Everything goes to stderr; stdout belongs to data.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 24
DRAWN_EVERY_SECONDS = 1.0


class Progress:
    """Tells of numbered steps, one after the other."""

    def __init__(self, steps: int, out: TextIO | None = None) -> None:
        self.steps = steps
        self._out = out if out is not None else sys.stderr
        self._lively = self._out.isatty()

    @contextmanager
    def step(self, number: int, name: str) -> Iterator[None]:
        """Tell that a step has begun, and keep the clock moving while it works."""
        began = time.monotonic()
        finished = threading.Event()
        if self._lively:
            clock = threading.Thread(target=self._tick, args=(number, name, began, finished), daemon=True)
            clock.start()
        else:
            self._say(f"[{number}/{self.steps}] {name}")
        try:
            yield
        finally:
            finished.set()
            if self._lively:
                clock.join()
                self._out.write("\r\x1b[K")

    def told(self, number: int, name: str, what: str) -> None:
        """Tell how a step ended."""
        self._say(f"[{number}/{self.steps}] {name}: {what}")

    def _tick(self, number: int, name: str, began: float, finished: threading.Event) -> None:
        while True:
            self._out.write(f"\r\x1b[K{bar(number - 1, self.steps)} {name} {spent(time.monotonic() - began)}")
            self._out.flush()
            if finished.wait(DRAWN_EVERY_SECONDS):
                return

    def _say(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def bar(done: int, steps: int) -> str:
    """Draw how many of the steps are done."""
    full = WIDTH * done // max(1, steps)
    return f"[{'#' * full}{'.' * (WIDTH - full)}] {done}/{steps}"


def spent(seconds: float) -> str:
    """Write a time as 1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
