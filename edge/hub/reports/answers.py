"""Read from the sums what may be shown of the learners' answers.

Small schools are put together here, month by month. A few schools are read at a time, so that the database's
answer never fills the memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.hub.database import Database
from edge.hub.reports.groups import TOGETHER, Answers, Block, Group, Own, publish_part
from edge.hub.reports.months import UNDATED, Period, chosen_months, shown_month

AT_ONCE = 50
"""Schools in one question about answers; `SUMS_AT_ONCE`: about their sums."""

SUMS_AT_ONCE = 2000

_BLOCKS = """
SELECT school, {month}, attempts, judged, correct, learners FROM sums_blocks
WHERE school BETWEEN ? AND ? AND {chosen} ORDER BY school, month
"""
_GROUPS = """
SELECT school, {month}, lesson, attempts, judged, correct, learners FROM sums_groups
WHERE school BETWEEN ? AND ? AND {chosen} AND ? IN (-1, lesson) ORDER BY school, month, lesson
"""
# A sum of whole numbers is no whole number in PostgreSQL.
_GROUPS_OF_ALL_MONTHS = f"""
SELECT school, {UNDATED}, lesson, CAST(sum(attempts) AS BIGINT), CAST(sum(judged) AS BIGINT),
    CAST(sum(correct) AS BIGINT), max(learners) FROM sums_groups
WHERE school BETWEEN ? AND ? AND {{chosen}} AND ? IN (-1, lesson) GROUP BY school, lesson
"""
_ANY, _NO_SUCH = -1, -2


def batches(database: Database, school: str = "", at_once: int = AT_ONCE) -> Iterator[tuple[dict[int, str], int, int]]:
    """Yield a few schools at a time: their codes by number, and the first and last number."""
    schools = database.rows("SELECT id, code FROM schools WHERE ? IN ('', code) ORDER BY id", [school])
    for begin in range(0, len(schools), at_once):
        some = schools[begin : begin + at_once]
        yield dict(some), some[0][0], some[-1][0]


def blocks(database: Database, period: Period, school: str = "") -> Answers:
    """Return what may be shown of schools and months, without lessons, and of which schools nothing may be."""
    found: list[Block] = []
    heard: set[str] = set()
    sql = _BLOCKS.format(month=shown_month(period), chosen=chosen_months(period))
    for codes, first, last in batches(database, school, SUMS_AT_ONCE):
        for number, *rest in database.rows(sql, [first, last]):
            heard.add(codes[number])
            # Of a school with few learners in a month only that is kept.
            if rest[-1]:
                found.append(Block(codes[number], *rest))
    too_few = frozenset(heard - {block.school for block in found})
    if not school:
        found += (block for block, _ in _small_together(database, period))
    return Answers(tuple(found), (), too_few)


def groups(
    database: Database, period: Period, school: str = "", *, lesson: str = "", by_month: bool = False
) -> Answers:
    """Return what may be shown of lessons (or of one); months added up, if they need not be told apart."""
    words = dict(database.rows("SELECT id, text FROM words")) | {0: TOGETHER}
    wanted = next((number for number, text in words.items() if text == lesson), _NO_SUCH) if lesson else _ANY
    sql = _GROUPS.format(month=shown_month(period), chosen=chosen_months(period))
    if not by_month:
        sql = _GROUPS_OF_ALL_MONTHS.format(chosen=chosen_months(period))
    found: list[Group] = []
    for codes, first, last in batches(database, school, SUMS_AT_ONCE):
        for number, month, which, *rest in database.rows(sql, [first, last, wanted]):
            found.append(Group(codes[number], month, words[which], *rest))
    if not school:
        for _, more in _small_together(database, period):
            found += (group for group in more if lesson in ("", group.lesson))
    return Answers((), tuple(found), frozenset())


def _small_together(database: Database, period: Period) -> Iterator[tuple[Block, list[Group]]]:
    """Yield what may be shown of small schools together, month by month."""
    words = dict(database.rows("SELECT id, text FROM words"))
    sql = f"SELECT DISTINCT month, {shown_month(period)} FROM sums_few WHERE {chosen_months(period)} ORDER BY month"
    for month, shown in database.rows(sql):
        owns: list[Own] = []
        few = "SELECT lesson, learner, attempts, correct FROM sums_few WHERE month = ?"
        for lesson, *rest in database.rows(few, [month]):
            owns.append(Own(TOGETHER, shown, words[lesson], *rest))
        if (part := publish_part(owns)) is not None:
            yield part
