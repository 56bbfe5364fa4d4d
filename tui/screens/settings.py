"""Language, colours, voice. Each change is kept at once."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from tui import wishes
from tui.services import Services
from tui.values import changed, shown
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices

LABEL_CELLS = 26


class SettingsScreen(Screen[None]):
    """One line a setting; left and right change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "change(-1)", "change", key_display="←→"),
        Binding("right", "change(1)", "change", show=False),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__(name="settings")
        self.services = services

    def compose(self) -> ComposeResult:
        """A list and one line that says how to use it."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("settings.title"), learner.name if learner else "")
        with Vertical(classes="column page"):
            yield Static(words.say("settings.hint"), classes="about", markup=False)
            yield Choices()
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Show what is set."""
        self._show()
        self.query_one(Choices).focus()

    def _show(self) -> None:
        choices = self.query_one(Choices)
        here = choices.highlighted or 0
        choices.clear_options()
        choices.add_options(self._options())
        choices.highlighted = here

    def _options(self) -> list[Option]:
        words, settings = self.services.words, self.services.settings
        values = shown(settings, words)
        options = [Option(_line(words.say(f"settings.{name}"), value), id=name) for name, value in values.items()]
        if settings.sound:
            options.append(Option(words.say("settings.test"), id="test"))
        return [*options, Option(words.say("settings.prepare"), id="prepare")]

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        if event.option_id == "test":
            self.post_message(wishes.SpeechWanted([self.services.words.say("settings.test_text")]))
        elif event.option_id == "prepare":
            self.post_message(wishes.PlaceChosen("prepare"))
        else:
            self.action_change(1)

    def action_change(self, step: int) -> None:
        """Set the next or previous value of the chosen line."""
        option = self.query_one(Choices).highlighted_option
        name = option.id if option and option.id else "test"
        if name in ("test", "prepare"):
            return
        try:
            self.services.change(changed(self.services.settings, name, step))
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        self._show()
        self.post_message(wishes.SettingsChanged(name))


def _line(label: str, value: str) -> Content:
    return Content.assemble(f"{label:<{LABEL_CELLS}}", ("<  ", "$muted"), value, ("  >", "$muted"))
