"""Choose what to practise: sums, or the exercises of a lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.learning.exercise import SKILLS, title
from edge.learning.mastery import lesson_mastery
from tui import wishes
from tui.drill import level_for
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import columns, heading
from tui.widgets.picker import LessonPicker

if TYPE_CHECKING:
    from edge.learning.attempt import Attempt
    from edge.library.library import LessonRow


class PractiseScreen(Screen[None]):
    """Sums first, then lessons with how well each is known."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="practise")
        self.services = services
        self.attempts: list[Attempt] = []
        self.by_lesson: dict[str, list[Attempt]] = {}

    def compose(self) -> ComposeResult:
        """One list for both."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("practise.title"), learner.name if learner else "")
        yield LessonPicker(words, [], self._note, self._sums)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Fetch what there is."""
        self._refill()

    def on_screen_resume(self) -> None:
        """Show what the last round changed."""
        self._refill()

    def _refill(self) -> None:
        picker = self.query_one(LessonPicker)
        try:
            self.attempts = self.services.attempts()
            rows = [row for row in self.services.lessons() if row.item_count]
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        self.by_lesson = {}
        for attempt in self.attempts:
            self.by_lesson.setdefault(attempt.lesson, []).append(attempt)
        picker.show_rows(rows)

    def _sums(self) -> list[Option]:
        words = self.services.words
        options = [heading(words.say("practise.sums"))]
        for skill in SKILLS:
            level = words.say("practise.level", level=level_for(self.attempts, skill))
            name = title(skill, self.services.lang)
            options.append(Option(columns(name, level, self.query_one(LessonPicker).title_cells), id=f"sum:{skill}"))
        return options

    def _note(self, row: LessonRow) -> str:
        words = self.services.words
        made = self.by_lesson.get(row.id)
        if not made and row.item_count == 1:
            return words.say("practise.one")
        if not made:
            return words.say("practise.items", count=row.item_count)
        return words.say("practise.known", percent=round(100 * lesson_mastery(made, row.item_count)))

    @on(LessonPicker.Picked)
    def _picked(self, event: LessonPicker.Picked) -> None:
        skills = {f"sum:{skill}": skill for skill in SKILLS}
        if event.id in skills:
            self.post_message(wishes.SumsChosen(skills[event.id]))
        else:
            self.post_message(wishes.PractiseChosen(event.id))
