"""How far the learner is, lesson by lesson, and what she asked lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.learning.exercise import SKILLS
from edge.learning.mastery import lesson_mastery
from tui import wishes
from tui.places import practice_name
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, gap, heading

if TYPE_CHECKING:
    from edge.learning.mastery import LessonProgress

BAR_CELLS = 10
TITLE_CELLS = 38
LAST_QUESTIONS = 5


class ProgressScreen(Screen[None]):
    """A bar for each lesson; Enter practises it again."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="progress")
        self.services = services

    def compose(self) -> ComposeResult:
        """A summary above, the lessons and questions below."""
        words = self.services.words
        learner = self.services.learner
        name = learner.name if learner else words.say("app.nobody")
        yield TitleBar(words, words.say("progress.title"), name)
        with Vertical(classes="page"):
            yield Static(words.say("progress.of", name=name), classes="title", markup=False)
            yield Static(classes="total", markup=False)
            yield Choices()
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Fetch what there is."""
        self._refill()

    def on_screen_resume(self) -> None:
        """Show what the last round changed."""
        self._refill()

    def _refill(self) -> None:
        choices = self.query_one(Choices)
        try:
            options = [*self._lesson_options(), *self._question_options()]
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        choices.replace_all(options)
        choices.focus()

    def _lesson_options(self) -> list[Option]:
        words, learner = self.services.words, self.services.learner
        rows = self.services.store().progress(learner.id) if learner else []
        total = self.query_one(".total", Static)
        if not rows:
            total.update(words.say("progress.empty"))
            return []
        items, right = sum(row.attempts for row in rows), sum(row.right for row in rows)
        key = "progress.total_one" if items == 1 else "progress.total"
        total.update(words.say(key, items=items, right=right))
        names = {row.id: row for row in self.services.library().lessons()}
        options = [heading(words.say("progress.lessons"))]
        made = self.services.attempts()
        for row in rows:
            lesson = names.get(row.lesson)
            mine = [attempt for attempt in made if attempt.lesson == row.lesson]
            known = lesson_mastery(mine, lesson.item_count if lesson else 0)
            name = lesson.title if lesson else practice_name(row.lesson, self.services)
            options.append(Option(self._line(name, known, row), id=row.lesson))
        return options

    def _line(self, name: str, known: float, row: LessonProgress) -> Content:
        full = round(known * BAR_CELLS)
        first = Content(name).truncate(TITLE_CELLS, ellipsis=True)
        return Content.assemble(
            first.pad_right(max(0, TITLE_CELLS - first.cell_length)),
            "  ",
            ("█" * full, "$success"),
            ("░" * (BAR_CELLS - full), "$muted"),
            f" {round(known * 100):>3} %  ",
            (self.services.words.say("progress.tries", right=row.right, attempts=row.attempts), "$muted"),
        )

    def _question_options(self) -> list[Option]:
        learner = self.services.learner
        turns = self.services.store().turns(learner.id, LAST_QUESTIONS) if learner else []
        if not turns:
            return []
        options = [gap(), heading(self.services.words.say("progress.questions"))]
        seen: set[str] = set()
        for turn in turns:
            if turn.question not in seen:
                seen.add(turn.question)
                options.append(Option(turn.question, id=f"ask:{turn.question}"))
        return options

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        chosen = event.option_id or ""
        kind, _, rest = chosen.partition(":")
        if kind == "ask":
            self.post_message(wishes.QuestionAsked(rest))
            return
        for skill in SKILLS:
            if chosen.startswith(f"exercise/{skill}-"):
                self.post_message(wishes.SumsChosen(skill))
                return
        self.post_message(wishes.PractiseChosen(chosen))
