"""A clear sentence where there is no room for a screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from edge.words import Words

LEAST = Size(60, 20)


class SmallScreen(Screen[None]):
    """Says how large the terminal is and how large it should be."""

    def __init__(self, words: Words, least: Size = LEAST) -> None:
        super().__init__()
        self.words = words
        self.least = least

    def compose(self) -> ComposeResult:
        """Only the sentence."""
        yield Static(markup=False)

    def on_resize(self, event: Resize) -> None:
        """Keep the numbers true."""
        self.query_one(Static).update(
            self.words.say(
                "app.small",
                width=event.size.width,
                height=event.size.height,
                least_width=self.least.width,
                least_height=self.least.height,
            )
        )
