"""All lessons, by grade and by word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen

from edge.errors import EdgeError
from tui import wishes
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.picker import LessonPicker

if TYPE_CHECKING:
    from edge.library.library import LessonRow


class LessonsScreen(Screen[None]):
    """A list of lessons; Enter opens one."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="lessons")
        self.services = services

    def compose(self) -> ComposeResult:
        """The list is there at once; opening the library takes less than a blink."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("lessons.title"), learner.name if learner else "")
        yield LessonPicker(words, [], self._note)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Fetch the lessons."""
        try:
            self.query_one(LessonPicker).show_rows(self.services.lessons())
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)

    def _note(self, row: LessonRow) -> str:
        subject = self.services.words.say(f"subjects.{row.subject}")
        return f"{subject}, {self.services.words.say('lessons.minutes', minutes=row.minutes)}"

    @on(LessonPicker.Picked)
    def _picked(self, event: LessonPicker.Picked) -> None:
        self.post_message(wishes.LessonChosen(event.id))
