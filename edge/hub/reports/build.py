"""Every report by its name, for the terminal, files and pages alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from functools import cached_property, partial
from pathlib import Path

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.reports import field, learning
from edge.hub.reports.answers import answers
from edge.hub.reports.catalogue import Catalogue, catalogue
from edge.hub.reports.groups import Answers, Block
from edge.hub.reports.memory import Memory
from edge.hub.reports.mistakes import mistakes
from edge.hub.reports.months import Period
from edge.hub.reports.table import Cell, Table
from edge.words import Words

OF_A_SCHOOL = ("schools", "lessons", "skills", "months", "mistakes", "devices", "versions", "deliveries", "details")
NAMES = (*OF_A_SCHOOL, "refused")
USUAL = ("schools", "lessons", "skills", "months", "mistakes", "devices", "versions", "refused")
"""What is told when nobody asked for anything in particular."""


@dataclass(frozen=True)
class Reports:
    """What may be told at one moment about one period, of one school or of all; each part is read once."""

    database: Database
    folder: Path
    """The hub's own, for its packs."""

    words: Words
    period: Period
    now: str
    school: str = ""
    memory: Memory = field_of(default_factory=Memory)

    def tables(self, names: Sequence[str]) -> list[Table]:
        """Return the reports of these names, all as of one moment."""
        if unknown := [name for name in names if name not in self.names]:
            raise HubError("report-unknown", name=unknown[0][:40], known=", ".join(self.names))
        with self.database.still():
            if self.school and not self.database.rows("SELECT 1 FROM schools WHERE code = ?", [self.school]):
                raise HubError("report-school", school=self.school[:60])
            tables = [self._table(name) for name in names]
        # Of one school it goes without saying how many there are.
        return [table.without("schools") for table in tables] if self.school else tables

    @property
    def names(self) -> tuple[str, ...]:
        """The reports there are; of a refused file nobody knows the school."""
        return OF_A_SCHOOL if self.school else NAMES

    @cached_property
    def catalogue(self) -> Catalogue:
        """What lessons are called."""
        return catalogue(self.folder, self.words)

    @cached_property
    def answers(self) -> Answers:
        """What may be shown of the learners' answers."""
        key = ("answers", self.period, self.school)
        return self.memory.get(self.database, key, partial(answers, self.database, self.period, self.school))

    @cached_property
    def devices(self) -> list[field.DeviceRow]:
        """Every device."""
        return field.devices(self.database, self.now, self.school)

    def _table(self, name: str) -> Table:
        learned = {
            "lessons": learning.lessons,
            "skills": learning.skills,
            "months": learning.months,
            "details": learning.details,
        }
        if name in learned:
            return learned[name](self.answers, self.catalogue)
        if name == "schools":
            return field.school_table(self._learned(), learning.NUMBERS, self.devices, self.words)
        if name == "mistakes":
            return self._mistakes()
        if name == "deliveries":
            return field.delivery_table(self.database, self.school)
        if name == "refused":
            return field.refused_table(self.database, self.words)
        make = field.device_table if name == "devices" else field.version_table
        return make(self.devices, self.words)

    def _mistakes(self) -> Table:
        # Another language or another state of the packs gives other words.
        key = ("mistakes", self.period, self.school, self.words.lang, self.catalogue.state)
        make = partial(mistakes, self.database, self.period, self.catalogue, self.school)
        return self.memory.get(self.database, key, make)

    def _learned(self) -> dict[str, tuple[Cell, ...]]:
        """Return what the learners of every school did: nothing, what may be shown, or that it may not."""
        blocks: dict[str, list[Block]] = defaultdict(list)
        for block in self.answers.blocks:
            blocks[block.school].append(block)
        codes = [code for (code,) in self.database.rows("SELECT code FROM schools ORDER BY code")]
        hidden = tuple(None for _ in learning.NUMBERS)
        return {
            code: learning.added_up(blocks[code]) if code in blocks or code not in self.answers.too_few else hidden
            for code in codes
            if self.school in ("", code)
        }
