"""Ask an adult to type a word before something is done that a slip of the finger must not do."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from tui.lines import same_word
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.prompt import NameBox


class ConfirmScreen(Screen[bool]):
    """Says what will happen; ends with True only when the word was typed."""

    AUTO_FOCUS: ClassVar[str] = "NameBox"

    def __init__(self, services: Services, *, question: str, about: str, word: str) -> None:
        super().__init__(name="confirm")
        self.services = services
        self.question, self.about, self.word = question, about, word

    def compose(self) -> ComposeResult:
        """The question, what it means, and a line to type on."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("confirm.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            yield Static(self.question, classes="title", markup=False)
            yield Static(self.about, classes="about", markup=False)
            yield NameBox(placeholder=words.say("confirm.type", word=self.word), max_length=80)
            yield Static(classes="failed", markup=False)
        yield KeyBar(words)

    @on(NameBox.Asked)
    def _typed(self, event: NameBox.Asked) -> None:
        if same_word(event.question, self.word):
            self.dismiss(True)
        else:
            self.query_one(".failed", Static).update(self.services.words.say("confirm.different", word=self.word))
