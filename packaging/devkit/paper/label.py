"""Sheets of labels, one a stick, on the sheets of stickers that shops sell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from devkit.paper.facts import StickFacts, qr_text
from devkit.paper.ink import Ink
from edge.words import Words

Paper = Literal["a4", "letter"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the stickers are, in millimetres."""

    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    gap: float
    """Between two columns; rows touch."""


SHEETS: dict[Paper, Sheet] = {
    # 14 a page, 99.1 x 38.1 mm (Avery L7163 and alike).
    "a4": Sheet(2, 7, 99.1, 38.1, 4.65, 15.15, 2.5),
    # 10 a page, 4 x 2 inches (Avery 5163 and alike).
    "letter": Sheet(2, 5, 101.6, 50.8, 3.97, 12.7, 4.78),
}


def draw_labels(sticks: Sequence[StickFacts], paper: Paper, words: Words) -> Ink:
    """Return a document with a label for each stick, as many pages as it takes."""
    ink, sheet = Ink(paper), SHEETS[paper]
    for at, facts in enumerate(sticks):
        place = at % (sheet.columns * sheet.rows)
        if place == 0:
            ink.page()
        x = sheet.left + (place % sheet.columns) * (sheet.width + sheet.gap)
        y = sheet.top + (place // sheet.columns) * sheet.height
        _draw(ink, x, y, sheet, facts, words)
    return ink


def _draw(ink: Ink, x: float, y: float, sheet: Sheet, facts: StickFacts, words: Words) -> None:
    side = sheet.height - 4
    ink.box(x + 1, y + 1, sheet.width - 2, sheet.height - 2)
    ink.qr(x + 2, y + 2, side, qr_text(facts))
    left, width = x + side + 3, sheet.width - side - 6
    y += 4
    y += ink.text(left, y, facts.stick, 15, bold=True, width=width) + 0.5
    y += ink.text(left, y, facts.site or "Amauta", 9, width=width)
    y += ink.text(left, y, f"{facts.size}  {facts.volume}", 8, width=width)
    y += ink.text(left, y, words.say("paper.label.serial", serial=facts.serial or "-"), 8, width=width)
    y += ink.text(left, y, words.say("paper.label.checked", when=facts.ended[:10]), 8, width=width)
    y += ink.text(left, y, words.say("paper.label.content", hash=facts.content), 7, width=width)
    ink.text(left, y, words.say("paper.label.keep"), 7, bold=True, width=width)
