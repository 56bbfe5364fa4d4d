"""Be the computer that receives: six digits large enough for a classroom, and who has delivered; Esc closes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState, get_current_worker

from edge.errors import EdgeError
from tui.near_words import Received, receive_lines
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar
from tui.widgets.digits import BigDigits

if TYPE_CHECKING:
    from edge.sync.lan.events import Event
    from edge.sync.lan.receiving import Receiving

LAST_EVENTS = 4
LOOK_SECONDS = 0.2


class ReceiveScreen(Screen[None]):
    """Open while it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "new_code", "new_code")]

    @dataclass
    class Opened(Message):
        """Devices may come in."""

        courier: Receiving

    @dataclass
    class Happened(Message):
        """A device did something."""

        event: Event

    @dataclass
    class Failed(Message):
        """It cannot be opened."""

        text: str

    def __init__(self, services: Services) -> None:
        super().__init__(name="receive")
        self.services = services
        self.courier: Receiving | None = None
        self.received = Received()
        self.lines: list[str] = []

    def compose(self) -> ComposeResult:
        """How to deliver here, the digits, what came."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("receiving.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            yield Static(classes="about", markup=False)
            yield BigDigits()
            yield Static(words.say("receiving.opening"), classes="total", markup=False)
            yield Static(classes="events", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Open."""
        self._receive()

    @work(thread=True, group="near", exit_on_error=False)
    def _receive(self) -> None:
        """Be open until the screen is left."""
        worker = get_current_worker()
        try:
            with self.services.near.receive(lambda event: self.post_message(self.Happened(event))) as courier:
                self.post_message(self.Opened(courier))
                while not worker.is_cancelled:
                    time.sleep(LOOK_SECONDS)
        except EdgeError as error:
            self.post_message(self.Failed(error.say(self.services.lang)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer another code once there is one."""
        return action != "new_code" or self.courier is not None

    def action_new_code(self) -> None:
        """Let other digits count: these were seen by somebody who should not."""
        if self.courier:
            self.courier.new_code()
            self._show()

    @on(Opened)
    def _opened(self, event: Opened) -> None:
        self.courier = event.courier
        self.refresh_bindings()
        self._show()

    @on(Happened)
    def _happened(self, event: Happened) -> None:
        self.received = self.received.after(event.event)
        self.lines = [*self.lines, *receive_lines(self.services.words, event.event)][-LAST_EVENTS:]
        self._show()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.query_one(".total", Static).update(event.text)

    def _show(self) -> None:
        words, courier = self.services.words, self.courier
        if courier is None or not self.is_attached:
            return
        addresses = "   ".join(courier.addresses[:3])
        found = words.say("receiving.by_itself" if courier.announced else "receiving.typed", addresses=addresses)
        about = words.say("receiving.about", other=words.say("sending.choice"), label=courier.label)
        self.query_one(".about", Static).update(f"{about}\n{found}")
        self.query_one(BigDigits).show("" if courier.locked else f"{courier.code[:3]} {courier.code[3:]}")
        self.query_one(".total", Static).update(self.received.say(words))
        self.query_one(".events", Static).update("\n".join(self.lines))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a bug that something broke."""
        if event.state is WorkerState.ERROR:
            self.post_message(self.Failed(self.services.broken(event.worker.error)))
