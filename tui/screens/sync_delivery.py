"""What delivering over a network has in common, whichever it is: it ends in words, and may be tried again."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui.services import Services


class DeliveryScreen(Screen[None]):
    """Says in its `.total` how far it is."""

    @dataclass
    class Ended(Message):
        """It was delivered, or it was not and may be tried again."""

        text: str

    def __init__(self, services: Services, name: str) -> None:
        super().__init__(name=name)
        self.services = services
        self.working = False

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        self.working = False
        self.refresh_bindings()
        self.say(event.text)

    def say(self, text: str) -> None:
        """Show how far it is, unless the screen was left."""
        if self.is_attached:
            self.query_one(".total", Static).update(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a bug that something broke, and let it be tried again."""
        if event.state is WorkerState.ERROR:
            self.post_message(self.Ended(self.services.broken(event.worker.error)))
