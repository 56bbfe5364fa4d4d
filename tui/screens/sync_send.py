"""Deliver to the computer that receives nearby: type its six digits; Esc stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from edge.errors import EdgeError
from tui.near_words import sent_lines, step_line
from tui.screens.sync_delivery import DeliveryScreen
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.choices import Choices
from tui.widgets.prompt import NameBox

if TYPE_CHECKING:
    from edge.sync.lan.find import Found
    from edge.sync.lan.sender import Progress


class AddressBox(NameBox):
    """A line for the address, where the other computer is not found by itself."""


class SendScreen(DeliveryScreen):
    """Asks for the code, and says how far it is."""

    AUTO_FOCUS: ClassVar[str] = "NameBox"

    @dataclass
    class Moved(Message):
        """So far it is."""

        progress: Progress

    @dataclass
    class Several(Message):
        """More than one computer receives."""

        found: list[Found]

    def __init__(self, services: Services) -> None:
        super().__init__(services, "send")
        self.code = self.address = ""
        self.found: list[Found] = []

    def compose(self) -> ComposeResult:
        """What to do, where to type, and below it how far it is."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("sending.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            about = words.say("sending.about", other=words.say("receiving.choice"))
            yield Static(about, classes="about", markup=False)
            yield NameBox(placeholder=words.say("sending.code"), max_length=20)
            yield AddressBox(placeholder=words.say("sending.address"), max_length=80)
            yield Static(classes="total", markup=False)
            yield Choices()
        yield KeyBar(words)

    def on_mount(self) -> None:
        """There is nothing to choose between yet."""
        self.query_one(Choices).display = False

    @on(NameBox.Asked)
    def _typed(self, event: NameBox.Asked) -> None:
        if isinstance(self.focused, AddressBox):
            self.address = event.question
        else:
            self.code = event.question
        if self.code:
            self._begin()
        else:
            self.query(NameBox).first().focus()

    @on(Choices.OptionSelected)
    def _chosen(self, event: Choices.OptionSelected) -> None:
        self.address = self.found[int(event.option_id or 0)].address
        self._begin()

    def _begin(self) -> None:
        if not self.working:
            self.working = True
            self.query_one(Choices).display = False
            self._send(self.code, self.address)

    @work(thread=True, group="near", exit_on_error=False)
    def _send(self, code: str, address: str) -> None:
        """Deliver and tell by messages; leaving the screen stops it."""
        worker, near = get_current_worker(), self.services.near

        def left() -> bool:
            return worker.is_cancelled

        try:
            sent = near.send(code, address, lambda progress: self.post_message(self.Moved(progress)), left)
            self.post_message(self.Ended("\n".join(sent_lines(self.services, sent))))
        except EdgeError as error:
            if error.key == "near-several":
                self.post_message(self.Several(near.find(left)))
            else:
                self.post_message(self.Ended(error.say(self.services.lang)))

    @on(Moved)
    def _moved(self, event: Moved) -> None:
        self.say(step_line(self.services.words, event.progress))

    @on(Several)
    def _several(self, event: Several) -> None:
        self.working = False
        self.found = event.found
        self.say(self.services.words.say("sending.which"))
        options = [Option(f"{each.label}  {each.address}", id=f"{place}") for place, each in enumerate(event.found)]
        choices = self.query_one(Choices)
        choices.replace_all(options)
        choices.display = bool(options)
        choices.focus()
