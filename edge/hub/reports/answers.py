"""Read from the database what learners did, and let `groups` decide what may be shown of it.

The database adds up each learner's answers by lesson and month; a few schools at a time, so that neither its
memory nor ours grows with the district.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from edge.hub.database import Database
from edge.hub.reports.groups import Answers, Own, publish
from edge.hub.reports.months import Period, condition, month_column

AT_ONCE = 50
"""Schools in one question."""

# CROSS JOIN: SQLite then looks up the streams first, and their answers by number; PostgreSQL chooses by itself.
_OWN = """
SELECT school, month, lesson, learner, count(*), sum(correct) FROM (
    SELECT streams.school AS school, {month} AS month, attempts.lesson AS lesson, attempts.learner AS learner,
        attempts.correct AS correct
    FROM streams CROSS JOIN attempts
    WHERE attempts.stream = streams.id AND streams.school BETWEEN ? AND ? AND {condition}
) AS dated GROUP BY school, month, lesson, learner
"""


def answers(database: Database, period: Period, school: str = "") -> Answers:
    """Return what may be shown, of one school or of all."""
    return publish(_by_school_and_month(database, period, school), is_alone=bool(school))


def batches(database: Database, school: str = "") -> Iterator[tuple[dict[int, str], int, int]]:
    """Yield a few schools at a time: their codes by number, and the first and last number."""
    schools = database.rows("SELECT id, code FROM schools WHERE ? IN ('', code) ORDER BY id", [school])
    for begin in range(0, len(schools), AT_ONCE):
        some = schools[begin : begin + AT_ONCE]
        yield dict(some), some[0][0], some[-1][0]


def _by_school_and_month(database: Database, period: Period, school: str) -> Iterator[list[Own]]:
    words = dict(database.rows("SELECT id, text FROM words"))
    sql = _OWN.format(month=month_column(period), condition=condition(period))
    for codes, first, last in batches(database, school):
        together: dict[tuple[int, int], list[Own]] = defaultdict(list)
        for number, month, lesson, learner, attempts, right in database.rows(sql, [first, last]):
            own = Own(codes[number], month, words[lesson], learner, attempts, int(right))
            together[number, month].append(own)
        yield from together.values()
