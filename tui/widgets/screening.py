"""The last thing a line passes before the terminal: no widget can forget to clean its text."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.visible import visible


class Screening(LineFilter):
    """Leave out what would control the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line with nothing but what the eye can see."""
        return [Segment(visible(text), style, control) for text, style, control in segments]
