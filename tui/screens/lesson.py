"""Read one lesson, or see in it the passage an answer comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tui import wishes
from tui.passage import split_at
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.turn import Prose

if TYPE_CHECKING:
    from edge.library.pack import Lesson


LINES_ABOVE = 4
"""How much of the lesson stays in view before the cited passage."""


class Pages(VerticalScroll):
    """The text of a lesson, read with the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "scroll", key_display="↑↓"),
        Binding("down", "scroll_down", "scroll", show=False),
    ]


class LessonScreen(Screen[None]):
    """The text of a lesson. A cited passage is framed and in view."""

    AUTO_FOCUS: ClassVar[str] = "Pages"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "speak", "speak"),
        Binding("f2", "ask", "ask_lesson"),
        Binding("f6", "practise", "practise_lesson"),
    ]

    def __init__(self, services: Services, lesson: Lesson, passage: str = "") -> None:
        super().__init__(name="source" if passage else "lesson")
        self.services = services
        self.original = lesson
        self.lesson = lesson = lesson if passage else services.desk.teaching(lesson)
        """In the words of an overlay where there is one; a passage is cited as it stands."""

        self.parts = split_at(lesson.text, passage)

    def compose(self) -> ComposeResult:
        """Title, what it is for, text, and what the text was checked against."""
        words = self.services.words
        lesson = self.lesson
        learner = self.services.learner
        place = "lesson.source_title" if self.parts.cited else "lesson.title"
        yield TitleBar(words, words.say(place), learner.name if learner else "")
        with Pages(classes="page"):
            yield Static(lesson.title, classes="title", markup=False)
            subject = words.say(f"subjects.{lesson.subject}")
            about = words.say("lesson.about", subject=subject, grade=lesson.grade, minutes=lesson.minutes)
            yield Static(about, classes="about", markup=False)
            if self.parts.before:
                yield Prose(self.parts.before)
            if self.parts.cited:
                with Vertical(classes="cited") as frame:
                    frame.border_title = words.say("lesson.cited" if self.parts.exact else "lesson.near")
                    yield Prose(self.parts.cited)
            if self.parts.after:
                yield Prose(self.parts.after)
            if lesson.sources:
                sources = "; ".join(lesson.sources)
                yield Static(words.say("lesson.checked", sources=sources), classes="checked", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Bring the cited passage into view."""
        self.call_after_refresh(self._show_cited)

    def _show_cited(self) -> None:
        for frame in self.query(".cited"):
            above = max(0, frame.virtual_region.y - LINES_ABOVE)
            self.query_one(Pages).scroll_to(y=above, animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what works now."""
        if action == "speak" and self.lesson != self.original and self.services.desk.teaching_voice() is None:
            return False
        if action == "speak":
            return self.services.settings.sound and not getattr(self.app, "speaking", False)
        if action == "practise":
            return bool(self.lesson.items)
        return True

    def action_speak(self) -> None:
        """Read the lesson aloud, or only the passage when one is shown."""
        from edge.speech.plain import sentences

        text, lang = self.parts.cited or f"{self.lesson.title}.\n\n{self.lesson.text}", ""
        if self.lesson != self.original:  # what has no words of the overlay yet is not for its voice
            mark, lang = f"[{self.original.lang}] ", self.services.desk.teaching_voice() or ""
            text = "\n\n".join(part for part in text.split("\n\n") if not part.lstrip("# ").startswith(mark))
        self.post_message(wishes.SpeechWanted(sentences(text), lang=lang))

    def action_ask(self) -> None:
        """Ask about this lesson."""
        self.post_message(wishes.LessonAskedAbout(self.lesson.id, self.lesson.title))

    def action_practise(self) -> None:
        """Practise this lesson."""
        self.post_message(wishes.PractiseChosen(self.lesson.id))
