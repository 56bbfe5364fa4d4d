"""What was worked out stays in memory until the sums change: a page must not add up a whole country each time.

One for each worker; threads share it. What two of them ask for at once is worked out twice, and the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from edge.hub.database import Database
from edge.hub.reports import sums

MOST = 24
"""Results kept; what nobody asked for longest goes first. The largest, `details` of a district, is tens of megabytes."""

Result = TypeVar("Result")


class Memory:
    """Results by name, as of the last change of the sums."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = -1
        self._results: dict[Hashable, Any] = {}

    def get(self, database: Database, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what `make` returns, or returned since the sums last changed."""
        state = sums.state(database)
        with self._lock:
            if state != self._state:
                self._state = state
                self._results.clear()
            if key in self._results:
                self._results[key] = self._results.pop(key)
                return self._results[key]  # type: ignore[no-any-return]
        result = make()
        with self._lock:
            if state == self._state:
                self._results[key] = result
                while len(self._results) > MOST:
                    del self._results[next(iter(self._results))]
        return result
