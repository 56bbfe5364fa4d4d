"""How large the sticks of a site must be, and how long writing them will take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from devkit.site.pace import Pace

SHORT_SHARE = 0.05
"""Sticks hold up to so much less than is printed on them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes and minutes of a site."""

    stick_bytes: int
    """Exactly what the files of one stick hold."""

    stick_minutes: float
    total_minutes: float
    needed_bytes: int
    """What must be printed on a stick for it to hold them."""


def cost(stick_bytes: int, least_disk: int, count: int, pace: Pace) -> Cost:
    """Add up; every stick is written and then read back whole. `least_disk` is what `compose` will ask for."""
    minutes = stick_bytes / 1e6 * (1 / pace.write_mb_s + 1 / pace.read_mb_s) / 60
    return Cost(stick_bytes, minutes, minutes * -(-count // pace.at_once), round(least_disk / (1 - SHORT_SHARE)))
