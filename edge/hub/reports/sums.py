"""Keep what reports read: for each school and month the groups that may be shown, worked out from its attempts.

The sums of a school and month are a function of the attempts that are here, whatever came in which order, twice,
or was erased. Whoever changes attempts notes in the same step which school and month it was (`edge.hub.stale`);
before a report these, and no others, are worked out again. Each batch is one step: cut off, it is gone on with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import inf
from time import monotonic
from typing import Any

from edge.hub.database import Database
from edge.hub.reports.groups import Own, is_small, publish_part
from edge.hub.reports.months import in_months, month_column, months_of
from edge.hub.reports.slips import Slips
from edge.hub.reports.totals import Totals, differ, make_anew
from edge.hub.schema import ALL

SUMS = "sums"
"""The name of the step: two workers never work out the same."""

AT_ONCE = 100
SECONDS_AT_ONCE = 2.0
"""A step ends after so many schools or seconds: in SQLite nobody else writes meanwhile."""

_ROWS_AT_ONCE = 400

_COLUMNS = {
    "sums_blocks": "school, month, attempts, judged, correct, learners",
    "sums_groups": "school, month, lesson, attempts, judged, correct, learners",
    "sums_few": "school, month, lesson, learner, attempts, correct",
    "sums_mistakes": "school, month, lesson, item, which, learners",
}

# CROSS JOIN: SQLite then looks up the streams first, and their answers by number; PostgreSQL chooses by itself.
_FROM = "FROM streams CROSS JOIN attempts WHERE attempts.stream = streams.id AND streams.school = ?"
_DAYS = f"SELECT DISTINCT attempts.at / 86400 {_FROM}"
_OWN = f"SELECT {{month}} AS month, lesson, learner, count(*), sum(correct) {_FROM} AND {{within}} GROUP BY 1, 2, 3"
_WRONG = f"SELECT DISTINCT {{month}} AS month, lesson, item, given, learner {_FROM} AND correct = 0 AND {{within}}"

Rows = list[tuple[Any, ...]]
Tables = dict[str, Rows]
"""The rows of one school, by table."""


def waiting(database: Database) -> int:
    """Return how many schools have sums that are not those of their facts."""
    return int(database.rows("SELECT count(DISTINCT school) FROM stale")[0][0])


def state(database: Database) -> int:
    """Return a number that grows whenever sums change."""
    return int(database.rows("SELECT version FROM sums_state")[0][0])


def catch_up(database: Database, *, seconds: float = inf, tell: Callable[[int], None] = lambda _: None) -> int:
    """Bring all sums up to date, or as many as `seconds` allow; return how many schools are left, `tell` in between."""
    begun = monotonic()
    while left := waiting(database):
        tell(left)
        if monotonic() - begun >= seconds:
            return left
        with database.step(names=[SUMS]):
            _renew_some(database)
    tell(0)
    return 0


def begin_anew(database: Database) -> None:
    """Have the sums of every school worked out again."""
    with database.step(names=[SUMS]):
        database.execute(f"INSERT INTO stale (school, month) SELECT id, {ALL} FROM schools")
        make_anew(database)


def different(database: Database) -> Iterator[tuple[str, bool]]:
    """Yield each school, and whether its sums are others than its facts give; at last, without a name, all together.

    Schools that are still to be worked out are left out.
    """
    for school, code in database.rows("SELECT id, code FROM schools ORDER BY code"):
        with database.still():
            if database.rows("SELECT 1 FROM stale WHERE school = ?", [school]):
                continue
            fresh = _worked_out(database, school, _months(database, school))
            kept = {
                name: database.rows(f"SELECT {_COLUMNS[name]} FROM {name} WHERE school = ?", [school]) for name in fresh
            }
        yield code, any(sorted(kept[name]) != sorted(fresh[name]) for name in fresh)
    yield "", differ(database)


def _renew_some(database: Database) -> None:
    begun, totals = monotonic(), Totals(database)
    for (school,) in database.rows("SELECT DISTINCT school FROM stale ORDER BY school LIMIT ?", [AT_ONCE]):
        # First the notes, then the facts: what comes in between is noted by itself, and worked out again.
        noted = database.rows("SELECT id, month FROM stale WHERE school = ?", [school])
        with totals.changing(school):
            _renew(database, school, {month for _, month in noted})
        for begin in range(0, len(noted), _ROWS_AT_ONCE):
            done = ", ".join(str(note) for note, _ in noted[begin : begin + _ROWS_AT_ONCE])
            database.execute(f"DELETE FROM stale WHERE id IN ({done})")
        if monotonic() - begun > SECONDS_AT_ONCE:
            break
    totals.write()
    database.execute("UPDATE sums_state SET version = version + 1")


def _renew(database: Database, school: int, noted: set[int]) -> None:
    everything = ALL in noted
    months = _months(database, school) if everything else noted
    fresh = _worked_out(database, school, months)
    which = "1 = 1" if everything else f"month IN ({', '.join(map(str, sorted(months)))})"
    for name, rows in fresh.items():
        database.execute(f"DELETE FROM {name} WHERE school = ? AND {which}", [school])
        _write(database, name, rows)


def _months(database: Database, school: int) -> set[int]:
    """Return the months in which a school answered something."""
    return months_of(day * 86_400 for (day,) in database.rows(_DAYS, [school]))


def _worked_out(database: Database, school: int, months: set[int]) -> Tables:
    """Return what the facts of one school and these months give."""
    found: Tables = {name: [] for name in _COLUMNS}
    if not months:
        return found
    asked = {"month": month_column(months), "within": in_months(months)}
    together: dict[int, list[Own]] = defaultdict(list)
    for month, lesson, learner, attempts, right in database.rows(_OWN.format(**asked), [school]):
        # A lesson goes by its number here.
        together[month].append(Own(str(school), month, str(lesson), learner, attempts, int(right)))
    for month, owns in together.items():
        _add_answers(found, school, month, owns)
    slips = Slips()
    for month, lesson, item, given, learner in database.rows(_WRONG.format(**asked), [school]):
        slips.add(month, lesson, item, given, learner)
    found["sums_mistakes"] = [(school, *label, learners) for label, learners in slips.counted()]
    return found


def _add_answers(tables: Tables, school: int, month: int, owns: list[Own]) -> None:
    if is_small(owns):
        tables["sums_blocks"].append((school, month, 0, 0, 0, 0))
        tables["sums_few"] += ((school, month, int(own.lesson), *own[3:]) for own in owns)
        return
    if (part := publish_part(owns)) is not None:
        tables["sums_blocks"].append((school, month, *part[0].numbers()))
        tables["sums_groups"] += ((school, month, int(each.lesson or 0), *each.numbers()) for each in part[1])


def _write(database: Database, name: str, rows: Rows) -> None:
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[begin : begin + _ROWS_AT_ONCE]
        # Our own numbers are part of the sentence: each mark costs more than reading them.
        marks = ", ".join(f"({', '.join('?' if isinstance(v, str) else str(v) for v in row)})" for row in some)
        texts = [value for row in some for value in row if isinstance(value, str)]
        database.execute(f"INSERT INTO {name} ({_COLUMNS[name]}) VALUES {marks}", texts)
