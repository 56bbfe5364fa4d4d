"""Who is learning: choose a name, or add one."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from tui import wishes
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.prompt import NameBox


class WhoScreen(Screen[None]):
    """The names of this device, and a line for a new one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "person", "person")]

    def __init__(self, services: Services) -> None:
        super().__init__(name="who")
        self.services = services

    def compose(self) -> ComposeResult:
        """Names first; a new one below them."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("who.title"), learner.name if learner else "")
        with Vertical(classes="column page"):
            yield Static(words.say("who.choose"), classes="title", markup=False)
            yield Choices()
            yield Static(words.say("who.new"), classes="about", markup=False)
            yield NameBox(placeholder=words.say("who.name_hint"), max_length=60)
        yield KeyBar(words)

    def on_screen_resume(self) -> None:
        """Fetch the names; one may have been erased."""
        choices = self.query_one(Choices)
        try:
            learners = self.services.store().learners()
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        choices.replace_all([Option(learner.name, id=learner.id) for learner in learners])
        if self.services.learner and learners:
            choices.highlighted = choices.get_option_index(self.services.learner.id)
        (choices if learners else self.query_one(NameBox)).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a person's data only where a person is chosen."""
        return action != "person" or any(choices.highlighted_option for choices in self.query(Choices))

    def action_person(self) -> None:
        """Open what is kept about the chosen person: an adult may copy or erase it."""
        from tui.screens.sync_person import PersonScreen

        option = self.query_one(Choices).highlighted_option
        for learner in self.services.store().learners():
            if option and learner.id == option.id:
                self.app.push_screen(PersonScreen(self.services, learner))

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        for learner in self.services.store().learners():
            if learner.id == event.option_id:
                self.services.choose_learner(learner)
                self.post_message(wishes.LearnerChosen())

    @on(NameBox.Asked)
    def _named(self, event: NameBox.Asked) -> None:
        try:
            self.services.add_learner(event.question)
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
        else:
            self.post_message(wishes.LearnerChosen())
