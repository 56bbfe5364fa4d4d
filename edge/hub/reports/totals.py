"""Add up the mistakes of all schools, month by month and of all months, whenever those of one are worked out again.

A country has hundreds of millions of rows of mistakes of schools; of its totals a few thousand. They are exactly
what those rows add up to: what one school had before is taken away, what it has now is added, in the same step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from edge.hub.database import Database
from edge.hub.reports.groups import SMALLEST, rounded

EVER = -1
"""Instead of a month: all of them, of each school its busiest."""

CELLS = "shown, schools, few, few_schools"
"""Learners of schools that are shown and how many schools; the same of schools with few."""

ADDED_UP = f"""
    CAST(sum(CASE WHEN most >= {SMALLEST} THEN most - most % {SMALLEST} ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN most >= {SMALLEST} THEN 1 ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN most < {SMALLEST} THEN most ELSE 0 END) AS BIGINT),
    CAST(sum(CASE WHEN most < {SMALLEST} THEN 1 ELSE 0 END) AS BIGINT)
"""
"""SQL of the cells, where `most` is what one school has; a sum of whole numbers is no whole number in PostgreSQL."""

_ALL = f"""
SELECT month, lesson, item, which, {ADDED_UP} FROM (
    SELECT school, month, lesson, item, which, learners AS most FROM sums_mistakes
    UNION ALL
    SELECT school, {EVER}, lesson, item, which, max(learners) FROM sums_mistakes GROUP BY school, lesson, item, which
) AS counted GROUP BY month, lesson, item, which
"""
_COLUMNS = f"month, lesson, item, which, {CELLS}"
_ROWS_AT_ONCE = 400

Place = tuple[int, int, str, str]
"""Month, lesson, item and which mistake."""


def cells(learners: int) -> tuple[int, int, int, int]:
    """Return what one school with so many learners adds."""
    return (rounded(learners), 1, 0, 0) if learners >= SMALLEST else (0, 0, learners, 1)


class Totals:
    """What changes in the course of one step."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    @contextmanager
    def changing(self, school: int) -> Iterator[None]:
        """The mistakes of a school are written anew inside."""
        before = self._of(school)
        yield
        after = self._of(school)
        for sign, some in ((-1, before.items() - after.items()), (1, after.items() - before.items())):
            for place, learners in some:
                change = self._changes[place]
                for at, cell in enumerate(cells(learners)):
                    change[at] += sign * cell

    def _of(self, school: int) -> dict[Place, int]:
        found: dict[Place, int] = {}
        sql = "SELECT month, lesson, item, which, learners FROM sums_mistakes WHERE school = ?"
        for month, lesson, item, which, learners in self._database.rows(sql, [school]):
            found[month, lesson, item, which] = learners
            ever = (EVER, lesson, item, which)
            found[ever] = max(found.get(ever, 0), learners)
        return found

    def write(self) -> None:
        """Add the changes to the totals."""
        rows = [(*place, *change) for place, change in sorted(self._changes.items()) if any(change)]
        added = ", ".join(f"{name} = sums_totals.{name} + excluded.{name}" for name in CELLS.split(", "))
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[begin : begin + _ROWS_AT_ONCE]
            marks = ", ".join(
                f"({month}, {lesson}, ?, ?, {', '.join(map(str, n))})" for month, lesson, _, _, *n in some
            )
            texts = [text for row in some for text in row[2:4]]
            sql = f"INSERT INTO sums_totals ({_COLUMNS}) VALUES {marks} ON CONFLICT (month, lesson, item, which)"
            self._database.execute(f"{sql} DO UPDATE SET {added}", texts)
        self._database.execute("DELETE FROM sums_totals WHERE schools = 0 AND few_schools = 0")


def make_anew(database: Database) -> None:
    """Add everything up again; inside a step."""
    database.execute("DELETE FROM sums_totals")
    database.execute(f"INSERT INTO sums_totals ({_COLUMNS}) {_ALL}")


def differ(database: Database) -> bool:
    """Tell whether the totals are others than the mistakes of schools add up to."""
    with database.still():
        return sorted(database.rows(f"SELECT {_COLUMNS} FROM sums_totals")) != sorted(database.rows(_ALL))
