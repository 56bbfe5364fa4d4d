"""The first run: a language and a name, nothing else."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.words import LANGUAGES
from tui import wishes
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.emblem import Emblem
from tui.widgets.prompt import NameBox


class WelcomeScreen(Screen[None]):
    """Asks in which language to speak, and then for a name."""

    def __init__(self, services: Services) -> None:
        super().__init__(name="welcome")
        self.services = services

    def compose(self) -> ComposeResult:
        """Ask for the language first; once it is known, for the name."""
        words = self.services.words
        known = bool(self.services.settings.lang)
        yield TitleBar(words)
        with Vertical(classes="column welcome"):
            yield Center(Emblem())
            yield Static(words.say("app.name"), classes="name")
            yield Static(words.say("welcome.line"), classes="line")
            if known:
                yield Static(words.say("welcome.name"), classes="question")
                yield Center(NameBox(placeholder=words.say("welcome.name_hint"), max_length=60))
            else:
                yield Static(words.say("welcome.lang"), classes="question")
                languages = [Option(words.say(f"languages.{lang}"), id=lang) for lang in LANGUAGES]
                yield Center(Choices(*languages, numbered=True))
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Wait for the answer."""
        self.query_one("NameBox, Choices").focus()

    @on(Choices.OptionHighlighted)
    def _lang_highlighted(self, event: Choices.OptionHighlighted) -> None:
        """Greet in the language one is looking at, before it is chosen."""
        from edge.words import words_for

        words = words_for("tui", event.option_id or "")
        self.query_one(".line", Static).update(words.say("welcome.line"))
        self.query_one(".question", Static).update(words.say("welcome.lang"))

    @on(Choices.OptionSelected)
    async def _lang_chosen(self, event: Choices.OptionSelected) -> None:
        try:
            self.services.change(replace(self.services.settings, lang=event.option_id or ""))
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        if self.services.recall_learner():
            self.post_message(wishes.LearnerChosen())
            return
        await self.recompose()
        self.query_one(NameBox).focus()

    @on(NameBox.Asked)
    def _named(self, event: NameBox.Asked) -> None:
        try:
            self.services.add_learner(event.question)
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
        else:
            self.post_message(wishes.LearnerChosen())
