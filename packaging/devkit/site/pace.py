"""How fast sticks are written and read back: as a person says, as receipts measured, or a careful guess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from devkit.errors import KitError
from devkit.write.receipt import Receipt, receipts_in

WRITE_MB_S, READ_MB_S = 5.0, 20.0
"""Cheap USB 2 sticks: what the slower ones sold do. An assumption; receipts and --rate know better."""

LEAST_RATE, MOST_RATE = 0.1, 10_000.0
LEAST_BYTES = 32 << 20
"""A shorter writing measures the stick's own memory."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of one stick among those written at once."""

    write_mb_s: float
    read_mb_s: float
    at_once: int
    measured: int = 0
    """How many receipts say so; 0 for a person's word or a guess."""


def pace(rate: str | None, at_once: int, receipts: Path) -> Pace:
    """Return the speed to count with; raise KitError for one that cannot be."""
    if rate is not None:
        write_mb_s = _number(rate)
        return Pace(write_mb_s, max(READ_MB_S, write_mb_s), at_once)
    try:
        found = receipts_in(receipts)
    except KitError:
        found = []
    speeds = [speed for receipt in found if (speed := _speed(receipt))]
    if not speeds:
        return Pace(WRITE_MB_S, READ_MB_S, at_once)
    return Pace(median(w for w, _ in speeds), median(r for _, r in speeds), at_once, len(speeds))


def _number(rate: str) -> float:
    try:
        found = float(rate.replace(",", "."))
    except ValueError:
        found = 0.0
    if not LEAST_RATE <= found <= MOST_RATE:
        raise KitError("plan-rate", value=rate[:20], least=LEAST_RATE, most=MOST_RATE)
    return found


def _speed(receipt: Receipt) -> tuple[float, float] | None:
    """Return how fast one stick was written and read back; None when it tells too little."""
    written, write_s = _amount(receipt, "bytes_written"), _amount(receipt, "write_s")
    verified, check_s = _amount(receipt, "bytes_verified"), _amount(receipt, "check_s")
    if min(written, verified) < LEAST_BYTES or min(write_s, check_s) <= 0:
        return None
    return written / write_s / 1e6, verified / check_s / 1e6


def _amount(receipt: Receipt, name: str) -> float:
    value = receipt.facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
