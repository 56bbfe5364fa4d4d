"""Which numbers may be shown: none about fewer than five learners, by itself or as a difference of others.

Pure. The rule, for answers:

1. The smallest group is one lesson in one school in one calendar month, the same months for every table. Periods
   are whole months, so that no two of them differ by a day. A month to come, by a clock that is wrong, is one of
   its own, and is shown under "no date".
2. In a school and month, lessons with fewer than five learners are put together as "other lessons". If that
   group, too, has fewer than five, it is left out: of every table and every total.
3. A school and month with fewer than five learners in all is put together with the other such schools of that
   month as "small schools", to which rule 2 applies in its turn.
4. How many answers of a group were right is shown only if those who answered right are nobody or at least five,
   and likewise those who answered wrong: a class in which one child erred shows how much it did, not that child.
   The groups of a school and month that fail this show their result together if, taking of each the side with
   few learners (of those with only one such side), at least five learners are on these sides.
5. Every number of answers in every table is a sum over such groups, or over their right answers. So whatever is
   added or subtracted, what remains is about at least five learners (or nobody): groups share no answer, and for
   those that show their result together each combination holds one side of every one of them.
6. Numbers of learners are rounded down to a multiple of five: they are no sums (one learner is in many groups),
   and the exact difference of two would say how many are in one group and not in the other. Over several months
   the busiest one counts, over several schools their sum: nothing is told that the parts did not tell.

What it does not cover: reports of two days differ by what arrived between them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

SMALLEST = 5
TOGETHER = ""
"""Instead of a school or a lesson: several small ones together."""


class Own(NamedTuple):
    """What one learner did in one lesson in one month."""

    school: str
    month: int
    lesson: str
    learner: int
    attempts: int
    right: int


@dataclass(frozen=True, slots=True)
class Group:
    """One lesson in one school and month, or several small ones together."""

    school: str
    month: int
    lesson: str
    attempts: int
    judged: int
    """The answers of which it may be shown how many were right: all of them, or none."""

    right: int
    learners: int
    """At least so many."""

    def numbers(self) -> tuple[int, int, int, int]:
        """Return what there is of it."""
        return self.attempts, self.judged, self.right, self.learners


@dataclass(frozen=True, slots=True)
class Block:
    """One school in one month: the sum of its groups."""

    school: str
    month: int
    attempts: int
    judged: int
    right: int
    learners: int

    def numbers(self) -> tuple[int, int, int, int]:
        """Return what there is of it."""
        return self.attempts, self.judged, self.right, self.learners


@dataclass(frozen=True, slots=True)
class Answers:
    """What may be shown of the answers of a period."""

    blocks: tuple[Block, ...]
    groups: tuple[Group, ...]
    too_few: frozenset[str]
    """Schools that answered something, of which nothing may be shown."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A group before it is decided what may be shown of it."""

    attempts: int
    right: int
    learners: set[int]
    hit: set[int]
    """Who answered right at least once; `missed`: who answered wrong at least once."""

    missed: set[int]

    @classmethod
    def of(cls, owns: list[Own]) -> _Cell:
        return cls(
            sum(own.attempts for own in owns),
            sum(own.right for own in owns),
            {own.learner for own in owns},
            {own.learner for own in owns if own.right},
            {own.learner for own in owns if own.attempts > own.right},
        )

    def few_sides(self) -> list[set[int]]:
        return [side for side in (self.hit, self.missed) if 0 < len(side) < SMALLEST]


def rounded(learners: int) -> int:
    """Return a number of learners as it may be shown."""
    return learners - learners % SMALLEST


def publish(parts: Iterable[list[Own]], *, is_alone: bool = False) -> Answers:
    """Return what may be shown of everything that learners did; each part is one school in one month.

    One school alone is told nothing about other small ones. Reports do this part by part (`reports.sums`).
    """
    blocks: list[Block] = []
    groups: list[Group] = []
    heard: set[str] = set()
    small: dict[int, list[Own]] = defaultdict(list)
    for owns in parts:
        heard.add(owns[0].school)
        if is_small(owns):
            small[owns[0].month] += (own._replace(school=TOGETHER) for own in owns)
        else:
            _add(publish_part(owns), blocks, groups)
    for owns in [] if is_alone else small.values():
        _add(publish_part(owns), blocks, groups)
    return Answers(tuple(blocks), tuple(groups), frozenset(heard - {block.school for block in blocks}))


def _add(part: tuple[Block, list[Group]] | None, blocks: list[Block], groups: list[Group]) -> None:
    if part is not None:
        blocks.append(part[0])
        groups += part[1]


def is_small(owns: list[Own]) -> bool:
    """Tell whether too few learners did this for any of it to be shown by itself."""
    return len({own.learner for own in owns}) < SMALLEST


def publish_part(owns: list[Own]) -> tuple[Block, list[Group]] | None:
    """Return what may be shown of one school and month, or of the small schools of one month."""
    school, month = owns[0].school, owns[0].month
    cells = _cells(owns)
    if not cells:
        return None
    shown: list[Group] = []
    unsplit: list[_Cell] = []
    for lesson, cell in cells.items():
        split = not cell.few_sides()
        if not split:
            unsplit.append(cell)
        judged, right = (cell.attempts, cell.right) if split else (0, 0)
        shown.append(Group(school, month, lesson, cell.attempts, judged, right, rounded(len(cell.learners))))
    judged, right = sum(group.judged for group in shown), sum(group.right for group in shown)
    if _may_show_together(unsplit):
        judged += sum(cell.attempts for cell in unsplit)
        right += sum(cell.right for cell in unsplit)
    learners = rounded(len(set().union(*(cell.learners for cell in cells.values()))))
    return Block(school, month, sum(group.attempts for group in shown), judged, right, learners), shown


def _cells(owns: list[Own]) -> dict[str, _Cell]:
    """Return the groups of one school and month that may be shown."""
    by_lesson: dict[str, list[Own]] = defaultdict(list)
    for own in owns:
        by_lesson[own.lesson].append(own)
    few: list[Own] = []
    for lesson in [*by_lesson]:
        if lesson == TOGETHER or len({own.learner for own in by_lesson[lesson]}) < SMALLEST:
            few += by_lesson.pop(lesson)
    if len({own.learner for own in few}) >= SMALLEST:
        by_lesson[TOGETHER] = few
    return {lesson: _Cell.of(mine) for lesson, mine in by_lesson.items()}


def _may_show_together(cells: Iterable[_Cell]) -> bool:
    """Tell whether the right answers of these groups, added up, say nothing about fewer than five learners."""
    sides = [cell.few_sides() for cell in cells]
    return len(set().union(*(few[0] for few in sides if len(few) == 1))) >= SMALLEST
