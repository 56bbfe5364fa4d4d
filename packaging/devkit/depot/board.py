"""One line a file and one for the total, while several files come at once.

On a terminal the block is drawn again in place; elsewhere a few whole lines are written. Knows nothing
about where bytes come from.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import IO

from edge.release.part import megabytes
from edge.words import Value, Words

BAR_WIDTH, NAME_WIDTH = 20, 30
EVERY_S = 0.2
EVERY_SHARE = 0.25
"""Between two lines where there is no terminal."""

QUIET_BYTES = 256 << 10
"""A smaller file gets no whole line of its own: an app has a thousand of them."""


class Stopped(Exception):  # noqa: N818
    """The person at the keyboard wants to stop."""


class Board:
    """What everybody sees of a transfer of several files."""

    def __init__(
        self, words: Words, stream: IO[str], total: int, *, live: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._words, self._stream, self._total, self._live, self._clock = words, stream, total, live, clock
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._drawn, self._next, self._began = 0, 0.0, clock()
        self._done, self._brought = 0, 0
        self.stop = threading.Event()
        self.lang = words.lang

    def row(self, name: str) -> Row:
        """Begin a line for one file."""
        row = Row(self, name)
        with self._lock:
            self._rows.append(row)
        return row

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until somebody stops everything."""
        if self.stop.wait(seconds):
            raise Stopped

    def moved(self, row: Row, done: int, total: int) -> None:
        """Take note of bytes that came, and draw when it is time."""
        if self.stop.is_set():
            raise Stopped
        with self._lock:
            self._brought += max(0, done - row.done) if row.started else 0
            row.started, row.done, row.total = True, done, total
            if self._live and self._clock() >= self._next:
                self._draw()
            elif (
                not self._live
                and total >= QUIET_BYTES
                and (row.said < 0 or done / max(total, 1) - row.said >= EVERY_SHARE)
            ):
                row.said = done / max(total, 1)
                self._say("depot.line", name=row.name, **_amounts(done, total))

    def note(self, row: Row, key: str, **values: Value) -> None:
        """Write a whole line about one file."""
        with self._lock:
            self._wipe()
            self._say(key, name=row.name, **values)

    def close(self, row: Row, key: str, size: int) -> None:
        """End the line of a file."""
        with self._lock:
            self._rows.remove(row)
            self._done += size
            if size >= QUIET_BYTES or not size:
                self._wipe()
                self._say(key, name=row.name, size=megabytes(size))

    def _draw(self) -> None:
        self._next = self._clock() + EVERY_S
        lines = [_line(row, self._words) for row in self._rows if row.started]
        here = self._done + sum(row.done for row in self._rows)
        rate = self._brought / max(self._clock() - self._began, 1e-3)
        left = round((self._total - here) / rate) if rate > 0 else 0
        clock = f"{max(0, left) // 60}:{max(0, left) % 60:02}"
        values = {"rate": megabytes(round(rate)), "left": clock, **_amounts(here, self._total)}
        lines.append(self._words.say("depot.total-line", **values))
        self._wipe()
        self._stream.write("".join(f"{line}\x1b[K\n" for line in lines))
        self._stream.flush()
        self._drawn = len(lines)

    def _wipe(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _say(self, key: str, **values: Value) -> None:
        self._stream.write(f"{self._words.say(key, **values)}\n")
        self._stream.flush()


class Row:
    """The line of one file; whoever brings the file tells it how that goes on."""

    def __init__(self, board: Board, name: str) -> None:
        self._board, self.name = board, name
        self.started, self.done, self.total, self.said = False, 0, 0, -1.0

    def moved(self, done: int, total: int) -> None:
        """So many bytes of `total` are here."""
        self._board.moved(self, done, total)

    def waiting(self, reason: str, wait_s: float) -> None:
        """The source failed; it is asked again later."""
        self._board.note(self, "depot.waiting", reason=reason, seconds=round(wait_s, 1))

    def restarted(self) -> None:
        """What was here was not right; the file begins again."""
        self._board.note(self, "depot.restarted")

    def ended(self, key: str, size: int) -> None:
        """The file is here, or will not come and `size` is 0."""
        self._board.close(self, key, size)


def _line(row: Row, words: Words) -> str:
    full = BAR_WIDTH * row.done // max(row.total, 1)
    bar, name = "#" * full + "." * (BAR_WIDTH - full), f"{row.name[:NAME_WIDTH]:<{NAME_WIDTH}}"
    return words.say("depot.bar", name=name, bar=bar, **_amounts(row.done, row.total))


def _amounts(done: int, total: int) -> dict[str, Value]:
    return {"percent": 100 * done // max(total, 1), "done": megabytes(done), "whole": megabytes(total)}
