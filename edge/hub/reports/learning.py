"""How much was practised and how well: by school, by lesson, by skill, by month.

Pure: everything is added up from what `groups` lets be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from edge.hub.reports.catalogue import Catalogue
from edge.hub.reports.groups import TOGETHER, Answers, Block, Group
from edge.hub.reports.months import name_of
from edge.hub.reports.table import Cell, Column, Table, number, percent, text

K = TypeVar("K")
P = TypeVar("P", Block, Group)

NUMBERS: tuple[Column, ...] = (
    number("attempts"),
    number("judged", detail=True),
    number("right", detail=True),
    percent("share"),
    number("learners"),
)


def added_up(parts: Iterable[Block | Group]) -> tuple[Cell, ...]:
    """Return the cells of NUMBERS; of learners the busiest month of each school counts."""
    attempts = judged = right = 0
    by_month: dict[tuple[str, int], int] = defaultdict(int)
    for part in parts:
        attempts += part.attempts
        judged += part.judged
        right += part.right
        place = (part.school, part.month)
        by_month[place] = max(by_month[place], part.learners)
    busiest: dict[str, int] = defaultdict(int)
    for (school, _), learners in by_month.items():
        busiest[school] = max(busiest[school], learners)
    if not attempts:
        return 0, 0, 0, "", 0
    if not judged:
        return attempts, None, None, None, sum(busiest.values())
    return attempts, judged, right, round(100 * right / judged), sum(busiest.values())


def lessons(found: Answers, catalogue: Catalogue) -> Table:
    """Return every lesson, those of one skill together; what small groups did in others comes last."""
    names = {group.lesson: catalogue.lesson(group.lesson) for group in found.groups}
    others = catalogue.words.say("reports.other-lessons")

    def order(lesson: str) -> tuple[bool, str, str]:
        return (lesson == TOGETHER, names[lesson].skill or "~", names[lesson].title)

    parts = _by(found.groups, lambda group: group.lesson)
    rows = [
        (others if lesson == TOGETHER else names[lesson].title, names[lesson].skill, lesson, *_row(parts[lesson]))
        for lesson in sorted(parts, key=order)
    ]
    columns = (text("lesson"), text("skill"), text("lesson-id", detail=True), *NUMBERS, number("schools"))
    return Table("lessons", columns, tuple(rows), tuple(str(row[2]) for row in rows))


def skills(found: Answers, catalogue: Catalogue) -> Table:
    """Return every skill: an operation of arithmetic, or a subject in a grade."""
    say = catalogue.words.say
    names = {group.lesson: catalogue.lesson(group.lesson).skill for group in found.groups}

    def skill(group: Group) -> tuple[bool, str]:
        return (not names[group.lesson], names[group.lesson] or say("reports.other-lessons"))

    parts = _by(found.groups, skill)
    return Table("skills", (text("skill"), *NUMBERS, number("schools")), _rows(parts, lambda key: key[1]))


def months(found: Answers, catalogue: Catalogue) -> Table:
    """Return what was done in each month, the first one first; answers without a date come last."""
    return _months(found.blocks, catalogue)


def details(found: Answers, catalogue: Catalogue) -> Table:
    """Return every group that may be shown: the parts of which all other tables are sums."""
    say = catalogue.words.say
    rows = []
    for group in sorted(found.groups, key=_place):
        school = say("reports.small-schools") if group.school == TOGETHER else group.school
        lesson = say("reports.other-lessons") if group.lesson == TOGETHER else catalogue.lesson(group.lesson).title
        rows.append((school, name_of(group.month), lesson, group.lesson, *added_up([group])))
    columns = (text("school"), text("month"), text("lesson"), text("lesson-id", detail=True), *NUMBERS)
    return Table("details", columns, tuple(rows))


def of_schools(found: Answers) -> dict[str, tuple[Cell, ...]]:
    """Return the cells of NUMBERS of each school that answered something; None each where nothing may be shown."""
    by_school = _by(found.blocks, lambda block: block.school)
    hidden = dict.fromkeys(found.too_few, tuple(None for _ in NUMBERS))
    return hidden | {school: added_up(blocks) for school, blocks in by_school.items()}


def lesson_schools(found: Answers, catalogue: Catalogue) -> Table:
    """Return who practised these lessons, school by school; small schools together come last."""
    small = catalogue.words.say("reports.small-schools")
    parts = _by(found.groups, lambda group: (group.school == TOGETHER, group.school))
    rows = _rows(parts, lambda key: key[1] or small)
    return Table(
        "lesson-schools",
        (text("school"), *NUMBERS),
        tuple(row[:-1] for row in rows),
        tuple(k for _, k in sorted(parts)),
    )


def lesson_months(found: Answers, catalogue: Catalogue) -> Table:
    """Return when these lessons were practised."""
    return _months(found.groups, catalogue)


def _place(group: Group) -> tuple[bool, str, int, str]:
    return group.school == TOGETHER, group.school, group.month, group.lesson


def _months(some: Iterable[Block] | Iterable[Group], catalogue: Catalogue) -> Table:
    parts: dict[tuple[bool, int], list[Block | Group]] = defaultdict(list)
    for part in some:
        parts[not part.month, part.month].append(part)
    undated = catalogue.words.say("reports.undated")
    columns = (text("month"), *NUMBERS, number("schools"))
    return Table("months", columns, _rows(parts, lambda key: name_of(key[1]) or undated))


def _by(parts: Iterable[P], key: Callable[[P], K]) -> dict[K, list[P]]:
    together: dict[K, list[P]] = defaultdict(list)
    for part in parts:
        together[key(part)].append(part)
    return together


def _rows(parts: Mapping[Any, Sequence[Block | Group]], name: Callable[[Any], str]) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    for key in sorted(parts):
        rows.append((name(key), *_row(parts[key])))
    return tuple(rows)


def _row(parts: Sequence[Block | Group]) -> tuple[Cell, ...]:
    return (*added_up(parts), len({part.school for part in parts if part.school != TOGETHER}))
