"""Decide who comes in and who has been away too long. Pure: clocks and memory are arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST = 60
"""More pupils than any room has; each holds a few of the files that a process may have open."""

SPARE_MB = 250
"""What the laptop keeps for itself, its screen and the teacher's own app."""

AWAY_SECONDS = 300.0
"""How long an app waits for a browser that lost the connection: what stood on the screen is there again until then."""

STILL_SECONDS = 30 * 60.0
"""How long a connected browser may do nothing."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What is known of one pupil's app."""

    key: str
    active_at: float
    """When something last came from the browser."""

    away_since: float | None = None
    """Since when no browser is connected."""


YOUNG_SECONDS = 20.0
"""How long an app goes on taking what it will need."""


def has_room(seats: int, young: int, free_mb: int | None, each_mb: int) -> bool:
    """Tell whether one more fits beside the `young`, who have not taken their memory yet; where free memory is not known, the number alone decides."""
    return seats < MOST and (free_mb is None or free_mb - SPARE_MB >= each_mb * (young + 1))


def gives_way(seats: Iterable[Seat]) -> str | None:
    """Return the one who is away longest, whose place somebody at the door may have; None when all are here."""
    away = [(seat.away_since, seat.key) for seat in seats if seat.away_since is not None]
    return min(away)[1] if away else None


def overdue(seats: Iterable[Seat], now: float) -> list[str]:
    """Return those who have been away, or still, for too long."""
    return [seat.key for seat in seats if _is_overdue(seat, now)]


def _is_overdue(seat: Seat, now: float) -> bool:
    if seat.away_since is not None and now - seat.away_since > AWAY_SECONDS:
        return True
    return now - seat.active_at > STILL_SECONDS
