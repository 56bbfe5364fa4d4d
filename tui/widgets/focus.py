"""Move from one widget to the next with the arrow keys, so that a screen reads as one column."""

from __future__ import annotations

from textual.screen import Screen
from textual.widget import Widget


def neighbour(screen: Screen[object], widget: Widget, step: int) -> Widget | None:
    """Return the widget that takes keys above (-1) or below (1) this one, if there is one."""
    chain = screen.focus_chain
    if widget not in chain:
        return None
    place = chain.index(widget) + step
    return chain[place] if 0 <= place < len(chain) else None
