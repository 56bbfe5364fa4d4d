"""One round of practice: which item comes, how many tries and hints, what is kept.

The same for the screen and for the line mode. A try counts only when the store has it on
disk: `answer` returns after that. Choosing and marking belong to `edge.learning`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Protocol

from edge.learning.attempt import Attempt, stamp
from edge.learning.exercise import LEVELS, Skill, generate, lesson_id
from edge.learning.grade import Mark, letter_of, mark
from edge.learning.mastery import next_item
from edge.learning.store import Store
from edge.library.pack import Item, Lesson

if TYPE_CHECKING:
    from edge.tutor.coach import Extra

ROUND_ITEMS = 8
"""Short enough to finish before the bell."""

MOST_TRIES = 2
"""After the second wrong answer the right one is shown."""


class Source(Protocol):
    """Where items come from."""

    @property
    def total(self) -> int:
        """How many items a round has."""

    @property
    def counts(self) -> bool:
        """Whether answers are kept, and so count toward progress and are handed over."""

    def lesson_of(self, item: Item) -> str:
        """Return the lesson under which an attempt at `item` is kept."""

    def choose(self, attempts: list[Attempt], random: Random) -> Item:
        """Return the next item for someone who made `attempts`."""


class LessonSource:
    """The exercises of one lesson."""

    counts = True

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.total = min(ROUND_ITEMS, len(lesson.items))

    def lesson_of(self, item: Item) -> str:
        """Return the lesson."""
        return self.lesson.id

    def choose(self, attempts: list[Attempt], random: Random) -> Item:
        """Return what is due, new or weakest."""
        return next_item(self.lesson.items, attempts, random)


class ExtraSource(LessonSource):
    """One exercise about a lesson that the model wrote: no item of a pack, so nothing of it is kept."""

    counts = False

    def __init__(self, lesson: Lesson, extra: Extra) -> None:
        super().__init__(lesson)
        self.extra = extra
        self.total = 1

    def choose(self, attempts: list[Attempt], random: Random) -> Item:
        """Return it."""
        return self.extra.item


class SumSource:
    """Exercises made on the spot, harder when they go well."""

    counts = True

    def __init__(self, skill: Skill, lang: str, level: int = 1) -> None:
        self.skill: Skill = skill
        self.lang = lang
        self.level = level
        self.total = ROUND_ITEMS

    def lesson_of(self, item: Item) -> str:
        """Return the name of the skill and level the item was made for."""
        return "/".join(item.id.split("/")[:2])

    def choose(self, attempts: list[Attempt], random: Random) -> Item:
        """Make an exercise at the learner's level that she was not just asked."""
        self.level = level_for(attempts, self.skill)
        last = attempts[-1].item if attempts else ""
        item = generate(self.skill, self.level, self.lang, random)
        while item.id == last:
            item = generate(self.skill, self.level, self.lang, random)
        return item


def level_for(attempts: list[Attempt], skill: Skill) -> int:
    """Return the level to practise: one up when four of five were right, one down after three wrong."""
    by_level = {level: [a for a in attempts if a.lesson == lesson_id(skill, level)] for level in range(1, LEVELS + 1)}
    level = max((number for number, made in by_level.items() if made), default=1)
    recent = by_level[level][-5:]
    if len(recent) == 5 and sum(a.right and not a.hints for a in recent) >= 4:
        return min(level + 1, LEVELS)
    if len(recent) >= 3 and not any(a.right for a in recent[-3:]):
        return max(level - 1, 1)
    return level


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one answer, already safe in the store."""

    mark: Mark
    first: bool
    """Whether this was the first try at the item."""

    final: bool
    """Whether the item is done: right, or out of tries."""


class Drill:
    """A round in progress."""

    def __init__(
        self,
        source: Source,
        store: Store,
        learner: str,
        *,
        random: Random,
        now: Callable[[], datetime],
        past: list[Attempt] | None = None,
    ) -> None:
        self.source = source
        self._store = store
        self._learner = learner
        self._random = random
        self._now = now
        self._past = store.attempts(learner) if past is None else past
        self.number = 0
        self.right_first = 0
        self._advance()

    def _advance(self) -> None:
        self.item = self.source.choose(self._past, self._random)
        self.number += 1
        self.tries = 0
        self.hints_shown = 0
        self.done = False
        self._begun = self._now()

    @property
    def total(self) -> int:
        """How many items the round has."""
        return self.source.total

    @property
    def extra(self) -> Extra | None:
        """The exercise of this round that the model wrote, if it is one."""
        return self.source.extra if isinstance(self.source, ExtraSource) else None

    @property
    def finished(self) -> bool:
        """Whether the last item is done."""
        return self.done and self.number >= self.total

    def hint(self) -> str | None:
        """Return the next hint, from vague to close, or None when there is none left."""
        if self.hints_shown >= len(self.item.hints):
            return None
        self.hints_shown += 1
        return self.item.hints[self.hints_shown - 1]

    def count_hint(self) -> None:
        """Count a hint that came from elsewhere."""
        self.hints_shown += 1

    def answer(self, given: str) -> Outcome:
        """Mark `given` and keep it; raise StoreError when it could not be kept, and it does not count."""
        result = mark(self.item, given)
        if self.source.counts:
            self._keep(given, result)
        self.tries += 1
        self.done = result.right or self.tries >= MOST_TRIES
        self.right_first += result.right and self.tries == 1
        return Outcome(result, self.tries == 1, self.done)

    def _keep(self, given: str, result: Mark) -> None:
        moment = self._now()
        attempt = self._store.append_attempt(
            learner=self._learner,
            lesson=self.source.lesson_of(self.item),
            item=self.item.id,
            given=given,
            right=result.right,
            hints=self.hints_shown,
            seconds=max(0.0, round((moment - self._begun).total_seconds(), 1)),
            at=stamp(moment),
            option=letter_of(self.item, given),
        )
        self._past.append(attempt)

    def with_extra(self, extra: Extra) -> Drill:
        """Return a round of the one exercise that the model wrote about the lesson that is practised."""
        if not isinstance(self.source, LessonSource):
            raise TypeError(self.source)
        source = ExtraSource(self.source.lesson, extra)
        return Drill(source, self._store, self._learner, random=self._random, now=self._now, past=self._past)

    def go_on(self) -> None:
        """Take the next item; only when the present one is done and the round is not finished."""
        if self.done and not self.finished:
            self._advance()
