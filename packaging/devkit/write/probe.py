"""Find out whether a disk is as large as it says: signed blocks across it, read back.

A counterfeit stick says 64 GB and holds 8: what is written beyond vanishes, or lands on top of what
came before. Each probe carries its own place and a number of this very run, so that neither an
old probe nor one that landed elsewhere can pass for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from devkit.errors import KitError
from devkit.write.chunks import Range
from devkit.write.device import Device, aligned

PROBE_BYTES = 4096
SPREAD = 64
"""Probes at even distances; with the powers of two, where counterfeit chips end."""

NEAREST_BYTES = 1 << 20
"""Closer than this they tell nothing more."""


def addresses(ranges: Sequence[Range]) -> tuple[int, ...]:
    """Return where to probe within `ranges`: their ends, powers of two, and evenly between."""
    usable = [(-(-start // PROBE_BYTES), stop // PROBE_BYTES) for start, stop in ranges]
    usable = [(start, stop) for start, stop in usable if start < stop]
    if not usable:
        return ()
    total = sum(stop - start for start, stop in usable)
    wanted = {1 << power for power in range(usable[-1][1].bit_length())}
    count = min(SPREAD, -(-total * PROBE_BYTES // NEAREST_BYTES))
    wanted |= {_nth(usable, total * step // count) for step in range(count)}
    wanted |= {usable[0][0], usable[-1][1] - 1}
    return tuple(PROBE_BYTES * at for at in sorted(wanted) if any(start <= at < stop for start, stop in usable))


def signature(run: bytes, at: int) -> bytes:
    """Return the 4096 bytes that belong at `at` in this run."""
    return hashlib.shake_256(run + at.to_bytes(8, "big")).digest(PROBE_BYTES)


def plant(device: Device, places: Iterable[int], run: bytes) -> None:
    """Write the probes."""
    buffer = aligned(PROBE_BYTES)
    for at in places:
        buffer[:] = signature(run, at)
        device.write(at, buffer)


def harvest(device: Device, places: Iterable[int], run: bytes, disk: str) -> None:
    """Read the probes back; raise KitError at the first that is not what was planted there."""
    buffer = aligned(PROBE_BYTES)
    for at in places:
        device.read(at, buffer)
        if bytes(buffer) != signature(run, at):
            raise KitError("disk-lies", disk=disk, claimed=f"{device.size / 1e9:.2f}", at=f"{at / 1e9:.2f}")


def _nth(usable: Sequence[Range], count: int) -> int:
    """Return the block that has `count` usable blocks before it."""
    for start, stop in usable:
        if count < stop - start:
            return start + count
        count -= stop - start
    return usable[-1][1] - 1
