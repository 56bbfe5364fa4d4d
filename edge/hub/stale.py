"""Which sums are no longer those of the facts: noted in the very step that changes facts.

Only added here; `edge.hub.reports.sums` takes a note away together with working the sums out again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.hub.database import Database

Touched = tuple[int, int]
"""A stream, by its number, and a month or ALL."""

_AT_ONCE = 400


def note(database: Database, touched: Iterable[Touched]) -> None:
    """Note that facts of these streams and months changed; inside the step that changed them."""
    pairs = sorted(touched)
    for begin in range(0, len(pairs), _AT_ONCE):
        some = pairs[begin : begin + _AT_ONCE]
        marks = ", ".join(["(?, ?)"] * len(some))
        database.execute(
            "INSERT INTO stale (school, month) SELECT DISTINCT streams.school, touched.column2 "
            f"FROM (VALUES {marks}) AS touched JOIN streams ON streams.id = touched.column1",
            [number for pair in some for number in pair],
        )
