"""A list to choose from with the arrow keys, a digit or a letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.widgets.focus import neighbour


class Choices(OptionList, inherit_bindings=False):
    """Options, one a line. Headings are options that cannot be chosen.

    At its ends the arrows leave the list for the widget above or below, where there is one.
    """

    DEFAULT_CSS = """
    Choices, Choices:focus {
        border: none; padding: 0; background: $background; background-tint: transparent; color: $foreground;
        & > .option-list--option { padding: 0 2; }
        & > .option-list--option-disabled { color: $muted; text-style: none; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", "move", key_display="↑↓"),
        Binding("down", "cursor_down", "move", show=False),
        Binding("enter", "select", "choose"),
        Binding("home", "first", "move", show=False),
        Binding("end", "last", "move", show=False),
        Binding("pageup", "page_up", "move", show=False),
        Binding("pagedown", "page_down", "move", show=False),
    ]

    def __init__(self, *options: Option, numbered: bool = False) -> None:
        super().__init__(*options, markup=False)
        self.numbered = numbered
        """Whether 1-9 and a-e choose at once."""

    def replace_all(self, options: Sequence[Option]) -> None:
        """Show other options, the first one chosen."""
        self.clear_options()
        self.add_options(options)
        self.action_first()
        self.refresh_bindings()

    def on_focus(self) -> None:
        """Show where one is."""
        if self.highlighted is None:
            self.action_first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing where there is nothing to choose."""
        return bool(self.open_ones()) or action not in ("cursor_up", "select")

    def action_cursor_up(self) -> None:
        """Go up, or out at the top."""
        above = neighbour(self.screen, self, -1)
        if above and self.highlighted in (None, *self.open_ones()[:1]):
            above.focus()
        else:
            super().action_cursor_up()

    def action_cursor_down(self) -> None:
        """Go down, or out at the bottom."""
        below = neighbour(self.screen, self, 1)
        if below and self.highlighted in (None, *self.open_ones()[-1:]):
            below.focus()
        else:
            super().action_cursor_down()

    def on_key(self, event: Key) -> None:
        """Let a digit or a letter choose."""
        if not self.numbered or event.character is None:
            return
        place = "123456789".find(event.character)
        if place < 0:
            place = "abcde".find(event.character.lower())
        open_ones = self.open_ones()
        if 0 <= place < len(open_ones):
            event.stop()
            self.highlighted = open_ones[place]
            self.action_select()

    def open_ones(self) -> list[int]:
        """Return the places of the options that can be chosen."""
        return [index for index, option in enumerate(self.options) if not option.disabled]


def heading(text: str) -> Option:
    """Return a line of the list that only names what follows."""
    return Option(Content.styled(text, "$primary"), disabled=True)


def gap() -> Option:
    """Return an empty line of the list."""
    return Option("", disabled=True)


def columns(left: str, right: str, width: int) -> Content:
    """Return one option with a second, quieter column after `width` cells."""
    first = Content(left).truncate(width, ellipsis=True)
    return Content.assemble(first.pad_right(max(0, width - first.cell_length)), "  ", (right, "$muted"))
