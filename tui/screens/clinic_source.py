"""Where what a table says comes from: its rows, its guidelines, its version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui.clinic.told import Line, row_lines
from tui.screens.clinic_result import shown
from tui.screens.lesson import Pages
from tui.services import Services
from tui.widgets.bars import KeyBar, TitleBar

if TYPE_CHECKING:
    from edge.triage.parts import Table
    from edge.triage.run import Decision


class RowScreen(Screen[None]):
    """The row that held, word for word, and the guideline, edition, chart and page it cites."""

    AUTO_FOCUS: ClassVar[str] = "Pages"

    def __init__(self, services: Services, tables: Sequence[tuple[Table, Decision | None]]) -> None:
        super().__init__(name="clinic-source")
        self.services = services
        self.tables = tables

    def compose(self) -> ComposeResult:
        """One page for all the problems of the patient."""
        words = self.services.words
        learner = self.services.learner
        lines: list[Line] = []
        for table, decision in self.tables:
            lines += [("gap", "")] if lines else []
            lines += row_lines(table, decision, words)
        yield TitleBar(words, words.say("clinic.source"), learner.name if learner else "")
        with Pages(classes="page"):
            yield from shown(lines)
        yield KeyBar(words)
