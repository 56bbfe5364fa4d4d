"""One thing that is slow to open, and shared by all who need it."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """One thing that is opened by whoever needs it first, and then shared."""

    def __init__(self, open_it: Callable[[], T]) -> None:
        self._open = open_it
        self._lock = RLock()
        self._thing: T | None = None

    def get(self) -> T:
        """Return the thing, opening it if nobody has; may raise what opening raises."""
        with self._lock:
            if self._thing is None:
                self._thing = self._open()
            return self._thing

    @property
    def ready(self) -> T | None:
        """The thing if it is open already. Never waits."""
        return self._thing

    def take(self) -> T | None:
        """Give the thing away, so that the next `get` opens a new one."""
        with self._lock:
            thing, self._thing = self._thing, None
            return thing
