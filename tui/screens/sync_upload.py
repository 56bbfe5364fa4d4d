"""Deliver to the hub over the internet, on a line as bad as there is; Esc stops, and what got through stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from edge.errors import EdgeError
from tui.near_words import handed_lines, wire_line
from tui.screens.sync_delivery import DeliveryScreen
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

if TYPE_CHECKING:
    from edge.sync.wire.sending import Progress


class UploadScreen(DeliveryScreen):
    """Begins at once, and says how far it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "upload", "upload")]

    @dataclass
    class Moved(Message):
        """So far it is."""

        progress: Progress

    def __init__(self, services: Services) -> None:
        super().__init__(services, "upload")

    def compose(self) -> ComposeResult:
        """What it does, and how far it is."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("uploading.title"), learner.name if learner else "")
        with Vertical(classes="page"):
            yield Static(words.say("uploading.about"), classes="about", markup=False)
            yield Static(words.say("uploading.begun"), classes="total", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Begin."""
        self.action_upload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to try again when it is over."""
        return action != "upload" or not self.working

    def action_upload(self) -> None:
        """Deliver."""
        self.working = True
        self.refresh_bindings()
        self._upload()

    @work(thread=True, group="upload", exit_on_error=False)
    def _upload(self) -> None:
        """Deliver and tell by messages; leaving the screen stops it."""
        worker = get_current_worker()
        try:
            handed = self.services.near.upload(
                lambda progress: self.post_message(self.Moved(progress)), lambda: worker.is_cancelled
            )
            self.post_message(self.Ended("\n".join(handed_lines(self.services, handed))))
        except EdgeError as error:
            self.post_message(self.Ended(error.say(self.services.lang)))

    @on(Moved)
    def _moved(self, event: Moved) -> None:
        self.say(wire_line(self.services.words, event.progress))
