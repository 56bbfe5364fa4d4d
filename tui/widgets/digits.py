"""Digits five lines tall, to be read from across a classroom; blocks only, because console fonts have them."""

from __future__ import annotations

from textual.widgets import Static

_SHAPES = {
    "0": ("███", "█ █", "█ █", "█ █", "███"),
    "1": (" █ ", "██ ", " █ ", " █ ", "███"),
    "2": ("███", "  █", "███", "█  ", "███"),
    "3": ("███", "  █", " ██", "  █", "███"),
    "4": ("█ █", "█ █", "███", "  █", "  █"),
    "5": ("███", "█  ", "███", "  █", "███"),
    "6": ("███", "█  ", "███", "█ █", "███"),
    "7": ("███", "  █", "  █", " █ ", " █ "),
    "8": ("███", "█ █", "███", "█ █", "███"),
    "9": ("███", "█ █", "███", "  █", "███"),
    " ": (" ", " ", " ", " ", " "),
}
LINES = 5


def drawn(text: str) -> str:
    """Return digits as five lines of blocks, each twice as wide as a letter."""
    shapes = [_SHAPES.get(letter, _SHAPES[" "]) for letter in text]
    lines = ("  ".join(shape[line] for shape in shapes) for line in range(LINES))
    return "\n".join("".join(letter * 2 for letter in line) for line in lines)


class BigDigits(Static):
    """A number to be read from afar."""

    DEFAULT_CSS = """
    BigDigits { height: auto; padding: 0 2; margin: 1 0; color: $primary; }
    """

    def show(self, text: str) -> None:
        """Show other digits."""
        self.update(drawn(text))
