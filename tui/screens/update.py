"""Take the newer release a stick brings: one key, a bar, and a sentence at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState, get_current_worker

from edge.errors import EdgeError
from edge.update.errors import UpdateError
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

BAR_CELLS = 40


class UpdateScreen(Screen[None]):
    """Says what is there, installs it when told to, and what to do then."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "install", "install")]

    @dataclass
    class Moved(Message):
        """So many bytes of so many are in place."""

        done: int
        total: int

    @dataclass
    class Ended(Message):
        """The update was made, or it was not and may be tried again."""

        sentence: str
        again: bool

    def __init__(self, services: Services) -> None:
        super().__init__(name="update")
        self.services = services
        self.offer = services.updates.offer
        self.working = False

    def compose(self) -> ComposeResult:
        """What is offered, and below it how far it is."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("updating.title"), learner.name if learner else "")
        with Vertical(classes="column page"):
            yield Static(self._about(), classes="title", markup=False)
            yield Static(words.say("updating.safe"), classes="about", markup=False)
            yield Static(classes="total", markup=False)
        yield KeyBar(words)

    def _about(self) -> str:
        if self.offer is None:
            return self.services.words.say("updating.none")
        contents = self.offer.contents
        return self.services.words.say("updating.about", number=contents.number, version=contents.version)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to install only while there is something to install."""
        return action != "install" or (self.offer is not None and not self.working)

    def action_install(self) -> None:
        """Begin; the learner may go on working meanwhile."""
        self.working = True
        self.refresh_bindings()
        self._show_bar(0, 1)
        self._install()

    @work(thread=True, group="update", exit_on_error=False)
    def _install(self) -> None:
        """Install and tell by messages: nothing waits for a screen that may be gone."""
        worker = get_current_worker()

        def moved(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise UpdateError("update-stopped")
            self.post_message(self.Moved(done, total))

        if self.offer is None:
            return
        try:
            done = self.services.updates.install(self.offer, moved)
        except EdgeError as error:
            self.post_message(self.Ended(error.say(self.services.lang), again=True))
        else:
            self.post_message(self.Ended(self.services.words.say("updating.done", number=done.number), again=False))

    @on(Moved)
    def _moved(self, event: Moved) -> None:
        self._show_bar(event.done, event.total)

    def _show_bar(self, done: int, total: int) -> None:
        full = BAR_CELLS * done // max(total, 1)
        percent = 100 * done // max(total, 1)
        bar = "█" * full + "░" * (BAR_CELLS - full)
        self._say(self.services.words.say("updating.bar", bar=bar, percent=percent))

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        self.working = False
        if not event.again:
            self.offer = None
        self._say(event.sentence)
        if self.app.screen is not self:
            self.notify(event.sentence, timeout=30, markup=False)
        self.refresh_bindings()

    def _say(self, text: str) -> None:
        if self.is_attached:
            self.query_one(".total", Static).update(text)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say of a bug that something broke, and let it be tried again."""
        if event.state is WorkerState.ERROR:
            self.post_message(self.Ended(self.services.broken(event.worker.error), again=True))
