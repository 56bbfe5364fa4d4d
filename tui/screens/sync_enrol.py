"""Ask for what the hub gave: a stick that brings it, the path of a file, or the text of a QR code."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.prompt import NameBox

LONGEST_TEXT = 2000
"""The text of a QR code has some 200 characters."""


class EnrolScreen(Screen[str | Path]):
    """Ends with what to enrol with."""

    AUTO_FOCUS: ClassVar[str] = "NameBox"

    def __init__(self, services: Services) -> None:
        super().__init__(name="enrol")
        self.services = services
        self.bringing = [drive for drive in services.handing.drives if drive.enrolment]

    def compose(self) -> ComposeResult:
        """A line to type or paste on, and the sticks that bring an enrolment."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("enrolling.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            yield Static(words.say("enrolling.about"), classes="about", markup=False)
            yield NameBox(placeholder=words.say("enrolling.hint"), max_length=LONGEST_TEXT)
            if self.bringing:
                yield Static(words.say("enrolling.sticks"), classes="title", markup=False)
                names = [words.say("enrolling.stick", name=drive.name) for drive in self.bringing]
                yield Choices(*(Option(name, id=f"{place}") for place, name in enumerate(names)))
        yield KeyBar(words)

    @on(NameBox.Asked)
    def _typed(self, event: NameBox.Asked) -> None:
        self.dismiss(event.question)

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        self.dismiss(self.bringing[int(event.option_id or 0)].enrolment)
