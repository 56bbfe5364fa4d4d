"""Whose turn it is: a fair queue before a fixed number of seats, and an honest guess of how long it takes.

Pure; the time is an argument. Who was served longest ago comes first, so that nobody who asks all the time keeps
others waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

FIRST_SECONDS = 10.0
"""What an answer is believed to take before the first one was measured."""

KEEP = 0.8


@dataclass(slots=True)
class Waiting(Generic[T]):
    """One request that waits."""

    who: str
    what: T
    order: int


@dataclass(slots=True)
class Turns(Generic[T]):
    """The queue and what is known of how fast it moves."""

    seats: int
    most_waiting: int
    _waiting: list[Waiting[T]] = field(default_factory=list)
    _served: dict[str, int] = field(default_factory=dict)
    """When each was last given a seat, as a growing number."""

    _order: int = 0
    _seconds: float = FIRST_SECONDS

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, who: str, what: T) -> bool:
        """Queue up; False when too many wait already."""
        if len(self._waiting) >= self.most_waiting:
            return False
        self._order += 1
        self._waiting.append(Waiting(who, what, self._order))
        return True

    def leave(self, what: T) -> bool:
        """Stop waiting; tell whether it was waiting."""
        before = len(self._waiting)
        self._waiting = [each for each in self._waiting if each.what != what]
        return len(self._waiting) < before

    def next(self) -> T | None:
        """Return the request that gets the free seat, if any waits."""
        if not self._waiting:
            return None
        found = min(self._waiting, key=self._rank)
        self._waiting.remove(found)
        self._order += 1
        self._served[found.who] = self._order
        return found.what

    def finished(self, seconds: float) -> None:
        """Take in how long an answer took from its seat to its end."""
        self._seconds = KEEP * self._seconds + (1 - KEEP) * seconds

    def places(self) -> list[tuple[int, T]]:
        """Return who waits, in the order of the queue: 1 is next."""
        return [(number, each.what) for number, each in enumerate(sorted(self._waiting, key=self._rank), 1)]

    def seconds(self, place: int) -> float:
        """Return in about how many seconds the request at a place begins to be answered."""
        return place * self._seconds / self.seats

    def _rank(self, waiting: Waiting[T]) -> tuple[int, int]:
        """Who never had a turn comes first; then who had it longest ago; then who asked first.

        Of several requests of one person only the oldest competes, because later ones have a higher order.
        """
        return self._served.get(waiting.who, 0), waiting.order
