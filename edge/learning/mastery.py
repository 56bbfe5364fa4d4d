"""How well a learner knows a lesson, and which item to practise next.

Pure: attempts come in, oldest first. Knows neither the lessons' texts nor the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from edge.learning.attempt import Attempt

if TYPE_CHECKING:
    from edge.library.pack import Item

MASTERED = 0.8
"""From here on a lesson counts as known."""

_WEIGHT = 0.7
"""How much the newest answer to an item counts against all the earlier ones."""

_HINT_COST = 0.2
"""A right answer after a hint shows less; after three hints it still shows something."""

_RETRY_AFTER = 2
"""A wrong item comes back after this many others: soon, but not from short memory."""


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """How far one learner is in one lesson."""

    lesson: str
    attempts: int
    right: int
    items: int
    """How many different items were tried."""

    mastery: float
    last_at: str


def item_strength(attempts: Iterable[Attempt]) -> float:
    """Return 0 to 1: how sure the answers to one item make us that it is known."""
    strength = 0.0
    for attempt in attempts:
        shown = max(0.4, 1 - _HINT_COST * attempt.hints) if attempt.right else 0.0
        strength += _WEIGHT * (shown - strength)
    return strength


def lesson_mastery(attempts: Sequence[Attempt], item_count: int = 0) -> float:
    """Return 0 to 1 for the attempts at one lesson; items not tried yet count as not known."""
    by_item = _by_item(attempts)
    known = sum(item_strength(tries) for tries in by_item.values())
    return known / max(item_count, len(by_item), 1)


def progress_of(attempts: Iterable[Attempt], item_counts: Mapping[str, int] | None = None) -> list[LessonProgress]:
    """Return one row for each lesson, the one practised last first.

    `item_counts` tells how many items a lesson has, so that those not tried yet count too.
    """
    counts = item_counts or {}
    lessons: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        lessons.setdefault(attempt.lesson, []).append(attempt)
        lessons[attempt.lesson] = lessons.pop(attempt.lesson)
    return [
        LessonProgress(
            lesson=lesson,
            attempts=len(tries),
            right=sum(attempt.right for attempt in tries),
            items=len({attempt.item for attempt in tries}),
            mastery=lesson_mastery(tries, counts.get(lesson, 0)),
            last_at=tries[-1].at,
        )
        for lesson, tries in reversed(lessons.items())
    ]


def next_item(items: Sequence[Item], attempts: Sequence[Attempt], random: Random) -> Item:
    """Choose what to ask next: a mistake that is due, then what is new, then what is weakest.

    `items` must hold at least one. The item just asked comes again only when it is the only one.
    """
    names = {item.id for item in items}
    asked = [attempt for attempt in attempts if attempt.item in names]
    by_item = _by_item(asked)
    last = asked[-1].item if asked else ""
    choices = [item for item in items if item.id != last] or list(items)
    recent = {attempt.item for attempt in asked[-_RETRY_AFTER:]}
    due = [i for i in choices if i.id in by_item and not by_item[i.id][-1].right and i.id not in recent]
    if due:
        return random.choice(due)
    if new := [item for item in choices if item.id not in by_item]:
        return new[0]
    weakest = min(item_strength(by_item[item.id]) for item in choices)
    return random.choice([i for i in choices if item_strength(by_item[i.id]) <= weakest + 0.05])


def _by_item(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    by_item: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_item.setdefault(attempt.item, []).append(attempt)
    return by_item
