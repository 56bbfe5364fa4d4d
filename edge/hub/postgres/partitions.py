"""Which partition a fact belongs to: one for each month of its time, and two for clocks that are wrong.

Pure. A device's clock may say anything, and each month costs the server something: only twenty years have
months of their own, so no device can make more than 240 partitions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_YEAR, LAST_YEAR = 2026, 2045
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Partition:
    """Part of a table."""

    table: str
    bounds: str
    """As `FOR VALUES` takes them."""


def partitions_for(kind: str, times: Iterable[int]) -> list[Partition]:
    """Return the partitions that facts of these times belong to."""
    first, last = _start(FIRST_YEAR, 1), _start(LAST_YEAR + 1, 1)
    days = {time // _DAY if first <= time < last else (-1 if time < first else last) for time in times}
    found = set()
    for day in days:
        if day == -1:
            found.add(Partition(f"{kind}_before", f"FROM (MINVALUE) TO ({first})"))
        elif day == last:
            found.add(Partition(f"{kind}_after", f"FROM ({last}) TO (MAXVALUE)"))
        else:
            at = datetime.fromtimestamp(day * _DAY, UTC)
            after = (at.year, at.month + 1) if at.month < 12 else (at.year + 1, 1)
            bounds = f"FROM ({_start(at.year, at.month)}) TO ({_start(*after)})"
            found.add(Partition(f"{kind}_{at.year}_{at.month:02}", bounds))
    return sorted(found, key=lambda partition: partition.table)


def _start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())
