"""Find a lesson: by grade with the arrows, by word by typing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static
from textual.widgets.option_list import Option

from edge.words import Words
from tui.widgets.choices import Choices, columns, gap, heading
from tui.widgets.prompt import PromptBox

if TYPE_CHECKING:
    from edge.library.library import LessonRow

NOTE_CELLS = 27
"""What the second column and the margins take of a line."""


class SearchBox(PromptBox):
    """A line for a word to look for; the list follows while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave(1)", "choose")]


class LessonPicker(Vertical):
    """Lessons by grade, narrowed by what is typed. The owner says what stands in the second column."""

    DEFAULT_CSS = """
    LessonPicker { height: 1fr; }
    LessonPicker > .grades { height: 1; padding: 0 2; margin: 0 0 1 0; }
    LessonPicker > Choices { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "grade(-1)", "grade", key_display="←→"),
        Binding("right", "grade(1)", "grade", show=False),
    ]

    grade: reactive[int] = reactive(0)
    """The grade shown; 0 is all of them."""

    word: reactive[str] = reactive("")

    @dataclass
    class Picked(Message):
        """A lesson, or one of the owner's own options, was chosen."""

        id: str

    def __init__(
        self,
        words: Words,
        rows: Sequence[LessonRow],
        note: Callable[[LessonRow], str],
        first: Callable[[], Sequence[Option]] = lambda: (),
    ) -> None:
        super().__init__()
        self.words = words
        self.rows = sorted(rows, key=lambda row: (row.grade, row.subject, row.title))
        self.note = note
        self.first = first
        """Options that stand before the lessons while nothing narrows them."""

    def compose(self) -> ComposeResult:
        """A line to type on, the grades, the list."""
        yield SearchBox(placeholder=self.words.say("lessons.search"))
        yield Static(classes="grades")
        yield Choices()

    def on_mount(self) -> None:
        """Begin on the list: most people choose with the arrows."""
        self._show()
        self.query_one(Choices).focus()

    @property
    def title_cells(self) -> int:
        """How wide the first column may be."""
        return max(24, min(self.size.width or 80, 92) - NOTE_CELLS)

    def on_resize(self) -> None:
        """Spread the columns over the new width."""
        self._show()

    def show_rows(self, rows: Sequence[LessonRow]) -> None:
        """Show other lessons."""
        self.rows = sorted(rows, key=lambda row: (row.grade, row.subject, row.title))
        self._show()

    def watch_grade(self) -> None:
        """Follow the grade."""
        self._show()

    def watch_word(self) -> None:
        """Follow what is typed."""
        self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(".grades", Static).update(self._grade_line())
        wanted = _plain(self.word)
        rows = [row for row in self.rows if self.grade in (0, row.grade) and wanted in self._haystack(row)]
        options: list[Option] = [] if wanted or self.grade else list(self.first())
        if options and rows:
            options.append(gap())
        last = 0
        for row in rows:
            if row.grade != last:
                if last:
                    options.append(gap())
                last = row.grade
                options.append(heading(self.words.say("lessons.grade", grade=row.grade)))
            options.append(Option(columns(row.title, self.note(row), self.title_cells), id=row.id))
        if not rows:
            options.append(heading(self.words.say("lessons.none" if self.rows else "lessons.empty")))
        choices = self.query_one(Choices)
        here = choices.highlighted_option.id if choices.highlighted_option else None
        choices.replace_all(options)
        if here and any(option.id == here for option in options):
            choices.highlighted = choices.get_option_index(here)

    def _haystack(self, row: LessonRow) -> str:
        return _plain(f"{row.title} {self.words.say(f'subjects.{row.subject}')}")

    def _grade_line(self) -> Content:
        parts = [Content.styled(f"{self.words.say('lessons.grades')}:", "$muted")]
        for grade in self._grades():
            label = str(grade) if grade else self.words.say("lessons.all_grades")
            here = grade == self.grade
            style = "bold $block-cursor-foreground on $block-cursor-background" if here else ""
            parts.append(Content.styled(f"[{label}]" if here else f" {label} ", style))
        return Content(" ").join(parts)

    def _grades(self) -> list[int]:
        return [0, *sorted({row.grade for row in self.rows})]

    def action_grade(self, step: int) -> None:
        """Show the next or previous grade."""
        grades = self._grades()
        here = grades.index(self.grade) if self.grade in grades else 0
        self.grade = grades[(here + step) % len(grades)]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.word = event.value

    @on(Choices.OptionSelected)
    def _selected(self, event: Choices.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Picked(event.option_id or ""))

    def on_key(self, event: Key) -> None:
        """Let a search begin on the list."""
        box = self.query_one(SearchBox)
        if event.is_printable and event.character and not box.has_focus:
            event.stop()
            box.focus()
            box.insert_text_at_cursor(event.character)


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c)).strip()
