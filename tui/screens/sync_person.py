"""Everything about one person: a copy to give out, or gone for good."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from edge.errors import EdgeError
from edge.learning.learner import Learner
from tui import deeds, wishes
from tui.screens.sync_confirm import ConfirmScreen
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices, heading


class PeopleScreen(Screen[None]):
    """Whose data."""

    AUTO_FOCUS: ClassVar[str] = "Choices"

    def __init__(self, services: Services) -> None:
        super().__init__(name="people")
        self.services = services

    def compose(self) -> ComposeResult:
        """The names of this device."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("person.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            yield Static(words.say("person.choose"), classes="title", markup=False)
            yield Choices()
        yield KeyBar(words)

    def on_screen_resume(self) -> None:
        """Fetch the names; one may have been erased."""
        try:
            learners = self.services.store().learners()
        except EdgeError as error:
            self.notify(error.say(self.services.lang), severity="error", timeout=10, markup=False)
            return
        options = [Option(learner.name, id=learner.id) for learner in learners]
        self.query_one(Choices).replace_all(options or [heading(self.services.words.say("person.nobody"))])

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        for learner in self.services.store().learners():
            if learner.id == event.option_id:
                self.app.push_screen(PersonScreen(self.services, learner))


class PersonScreen(Screen[None]):
    """What is kept about one person, and what can be done with it."""

    AUTO_FOCUS: ClassVar[str] = "Choices"

    def __init__(self, services: Services, learner: Learner) -> None:
        super().__init__(name="person")
        self.services = services
        self.learner = learner
        self.drives = list(services.handing.drives)

    def compose(self) -> ComposeResult:
        """How much there is; copy or erase."""
        words = self.services.words
        yield TitleBar(words, words.say("person.title"), self.learner.name)
        with Vertical(classes="page"):
            yield Static(classes="title", markup=False)
            yield Choices(
                *(
                    Option(words.say("person.copy_stick", name=drive.name), id=f"copy:{place}")
                    for place, drive in enumerate(self.drives)
                ),
                Option(words.say("person.copy_here"), id="copy:"),
                Option(words.say("person.erase"), id="erase"),
            )
            yield Static(classes="total", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Count."""
        try:
            self.query_one(".title", Static).update(deeds.kept_about(self.services, self.learner))
        except EdgeError as error:
            self._say(error.say(self.services.lang))

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        kind, _, place = (event.option_id or "").partition(":")
        try:
            if kind == "copy":
                drive = self.drives[int(place)] if place else None
                self._say(deeds.copy(self.services, self.learner, drive))
            else:
                self._ask()
        except EdgeError as error:
            self._say(error.say(self.services.lang))

    def _ask(self) -> None:
        asked = ConfirmScreen(
            self.services,
            question=self.services.words.say("confirm.erase", name=self.learner.name),
            about=deeds.erase_about(self.services, self.learner),
            word=self.learner.name,
        )
        self.app.push_screen(asked, lambda confirmed: self._erase() if confirmed else None)

    def _erase(self) -> None:
        """Forget her, and begin anew with whoever is left."""
        before = self.services.learner
        try:
            said = deeds.erase(self.services, self.learner)
        except EdgeError as error:
            self._say(error.say(self.services.lang))
            return
        self.app.notify(said, timeout=15, markup=False)
        if self.services.learner is before:
            self.dismiss()
        else:
            self.post_message(wishes.LearnerChosen())

    def _say(self, text: str) -> None:
        self.query_one(".total", Static).update(text)
