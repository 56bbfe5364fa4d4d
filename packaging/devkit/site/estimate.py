"""How much room the files of a stick take, and how long writing the sticks will take. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devkit.site.names import on_disk

WRITE_MB_S, READ_MB_S = 5.0, 20.0
"""Cheap USB 2 sticks: what the slower ones sold do. Measure yours and give --rate."""

RESERVED_SHARE, RESERVED_BYTES = 0.02, 16 << 20
"""What the file system itself takes, and what sticks are smaller than printed on them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes and minutes of a site."""

    stick_bytes: int
    """Exactly what the files of one stick hold."""

    stick_minutes: float
    total_minutes: float
    needed_bytes: int
    """The least a stick must hold, as printed on it."""


def cost(sizes: Iterable[int], count: int, *, write_mb_s: float, at_once: int) -> Cost:
    """Add up; every stick is written and then read back whole."""
    sizes = list(sizes)
    whole = sum(sizes)
    minutes = whole / 1e6 * (1 / write_mb_s + 1 / max(READ_MB_S, write_mb_s)) / 60
    needed = round((on_disk(sizes) + RESERVED_BYTES) / (1 - RESERVED_SHARE))
    return Cost(whole, minutes, minutes * -(-count // at_once), needed)
