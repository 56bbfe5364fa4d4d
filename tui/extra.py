"""What the model may still write for the practice of one lesson, and what was asked of it in this round.

The same for the screen and for the line mode. `look`, `hint` and `exercise` take their time: a thread calls them.
Whether the model may and whether its words pass, `edge.tutor.coach` decides. Knows nothing of Textual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from tui.drill import Drill, LessonSource, Source

if TYPE_CHECKING:
    from edge.library.pack import Item
    from edge.tutor.coach import Coach, Extra, LastHint
    from edge.tutor.reply import Waiting
    from tui.services import Services

Stop = Callable[[], bool]
Told = Callable[["Waiting"], None]

MOST_TRIED = 3
"""So many passages are tried before it is said that nothing passed: each may take a minute on an old computer."""


class Extras:
    """Asks the coach for a lesson's practice; without a model that may, it never offers anything."""

    def __init__(self, services: Services, source: Source) -> None:
        self.lesson = source.lesson if isinstance(source, LessonSource) else None
        self._services = services
        self._coach: Coach | None = None
        self._may_write = False
        self._standing: frozenset[str] = frozenset()
        """The items that a hint may be written for: those that stand on a passage."""

        self._asked: Item | None = None
        self._tried: set[str] = set()

    def look(self) -> None:
        """See what the model may do here; what cannot be seen is closed."""
        lesson = self.lesson
        try:
            self._coach = coach = self._services.coach() if lesson is not None else None
            if coach is None or lesson is None:
                return
            self._may_write = coach.may("exercise", lesson)
            if coach.may("hint", lesson):
                from edge.tutor.coach import passage_of

                self._standing = frozenset(item.id for item in lesson.items if passage_of(item, lesson))
        except EdgeError:
            return

    def has_hint(self, drill: Drill) -> bool:
        """Tell whether the model's hint is what comes next: once an item, after every written one."""
        used_up = drill.hints_shown >= len(drill.item.hints)
        return used_up and drill.item.id in self._standing and self._asked is not drill.item

    def has_exercise(self) -> bool:
        """Tell whether one exercise more can be asked for: while a passage is left to write about."""
        return self._may_write and bool(self._left())

    def hint(self, item: Item, stop: Stop, told: Told) -> LastHint | None:
        """Let it write a hint; None where none passed. Whoever stopped it may ask again."""
        if self._coach is None or self.lesson is None:
            return None
        found = self._coach.hint(self.lesson, item, stop, told)
        if not stop():
            self._asked = item
        return found

    def exercise(self, stop: Stop, told: Told) -> Extra | None:
        """Let it write an exercise about a passage that was not tried yet; None where none passed."""
        if self._coach is None or self.lesson is None:
            return None
        for passage in self._left()[:MOST_TRIED]:
            found = self._coach.exercise(self.lesson, passage, stop, told)
            if stop():
                return None
            self._tried.add(passage)
            if found is not None:
                return found
        return None

    def _left(self) -> list[str]:
        from edge.tutor.coach import passages_to_ask

        return [text for text in passages_to_ask(self.lesson) if text not in self._tried] if self.lesson else []
