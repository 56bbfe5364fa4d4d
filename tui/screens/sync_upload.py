"""Deliver to the hub over the internet, on a line as bad as there is; Esc stops, and what got through stays."""

from __future__ import annotations

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
from tui.near_words import handed_lines, wire_line
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

if TYPE_CHECKING:
    from edge.sync.wire.sending import Progress


class UploadScreen(Screen[None]):
    """Begins at once, and says how far it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "upload", "upload")]

    @dataclass
    class Moved(Message):
        """So far it is."""

        progress: Progress

    @dataclass
    class Ended(Message):
        """It was delivered, or it was not and may be tried again."""

        text: str

    def __init__(self, services: Services) -> None:
        super().__init__(name="upload")
        self.services = services
        self.working = False

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
        self._say(wire_line(self.services.words, event.progress))

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        self.working = False
        self.refresh_bindings()
        self._say(event.text)

    def _say(self, text: str) -> None:
        if self.is_attached:
            self.query_one(".total", Static).update(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a bug that something broke, and let it be tried again."""
        if event.state is WorkerState.ERROR:
            self.post_message(self.Ended(self.services.broken(event.worker.error)))
