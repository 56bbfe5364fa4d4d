"""What the keys do and how the tutor works, on one page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui.screens.lesson import Pages
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.turn import Prose


class HelpScreen(Screen[None]):
    """One page of help."""

    AUTO_FOCUS: ClassVar[str] = "Pages"

    def __init__(self, services: Services) -> None:
        super().__init__(name="help")
        self.services = services

    def compose(self) -> ComposeResult:
        """The page, to scroll through."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("help.title"), learner.name if learner else "")
        with Pages(classes="page"):
            yield Prose(words.say("help.text"))
        yield KeyBar(words)
