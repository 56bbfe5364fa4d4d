"""Leave the computer at work: it reads tomorrow's lessons, says how far it is, and stops with Esc."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from edge.words import words_for
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

BAR_CELLS = 40
LOOK_SECONDS = 0.3


class PrepareScreen(Screen[None]):
    """What it is for, a bar while it works, and what was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", "prepare"),
        Binding("escape", "stop", "stop"),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__(name="prepare")
        self.services = services

    def compose(self) -> ComposeResult:
        """What it is for, and below it how far it is."""
        words = self.services.words
        learner = self.services.learner
        yield TitleBar(words, words.say("prepare.title"), learner.name if learner else "")
        with Vertical(classes="column page"):
            yield Static(words.say("prepare.heading"), classes="title", markup=False)
            yield Static(words.say("prepare.about"), classes="about", markup=False)
            yield Static(classes="total", markup=False)
        yield KeyBar(words)

    def on_mount(self) -> None:
        """Look how far it is; it may be at work since before."""
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to begin while it rests, and to stop while it works."""
        return self.services.preparing.working == (action == "stop") if action in ("begin", "stop") else True

    def action_begin(self) -> None:
        """Begin; the learner may go on with something else meanwhile."""
        self.services.preparing.start()
        self._look()

    def action_stop(self) -> None:
        """Stop within a moment."""
        self.services.preparing.stop()

    def _look(self) -> None:
        self.query_one(".total", Static).update(self._told())
        self.refresh_bindings()

    def _told(self) -> str:
        """Say how far it is, or what was done."""
        work, words = self.services.preparing, self.services.words
        now = work.progress
        if work.working:
            if now is None:
                return words.say("prepare.opening")
            full = BAR_CELLS * now.looked_at // max(now.total, 1)
            bar = "█" * full + "░" * (BAR_CELLS - full)
            return words.say("prepare.bar", bar=bar, done=now.looked_at, total=now.total, title=now.title)
        said = [now.say(words_for("edge", words.lang))] if now else []
        return "\n\n".join([*said, *([work.trouble.say(words.lang)] if work.trouble else [])])
