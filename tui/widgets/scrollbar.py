"""A scrollbar of whole cells: console fonts lack the fractions of a block that Textual uses."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class SolidBar(ScrollBarRender):
    """Draws the bar without partial blocks at its ends."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]
