"""Every report by its name, for the terminal, files and pages alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.reports import field, learning, sums
from edge.hub.reports.answers import blocks, groups
from edge.hub.reports.catalogue import Catalogue, catalogue
from edge.hub.reports.groups import Answers
from edge.hub.reports.memory import Memory
from edge.hub.reports.mistakes import mistakes
from edge.hub.reports.months import Period
from edge.hub.reports.table import Cell, Table
from edge.words import Words

OF_A_SCHOOL = ("schools", "lessons", "skills", "months", "mistakes", "devices", "versions", "deliveries", "details")
NAMES = (*OF_A_SCHOOL, "refused")
USUAL = ("schools", "lessons", "skills", "months", "mistakes", "devices", "versions", "refused")
"""What is told when nobody asked for anything in particular."""


Kept = TypeVar("Kept")


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
    is_caught_up: bool = False
    """Whoever asks has seen to it that the sums are up to date, as far as there was time."""

    def tables(self, names: Sequence[str]) -> list[Table]:
        """Return the reports of these names, all as of one moment."""
        if unknown := [name for name in names if name not in self.names]:
            raise HubError("report-unknown", name=unknown[0][:40], known=", ".join(self.names))
        self._catch_up()
        with self.database.still():
            if self.school and not self.database.rows("SELECT 1 FROM schools WHERE code = ?", [self.school]):
                raise HubError("report-school", school=self.school[:60])
            tables = [self._table(name) for name in names]
        # Of one school it goes without saying how many there are.
        return [table.without("schools") for table in tables] if self.school else tables

    def attempts(self) -> Cell:
        """Return how many answers may be spoken of."""
        self._catch_up()
        with self.database.still():
            return self._kept("attempts", lambda: learning.added_up(self._blocks.blocks)[0])

    def lesson(self, lesson: str) -> tuple[Table, Table, Table] | None:
        """Return when and where one lesson was practised and its mistakes, or nothing when none of it may be shown."""
        self._catch_up()
        with self.database.still():
            found = groups(self.database, self.period, self.school, lesson=lesson, by_month=True)
            if not found.groups:
                return None
            wrong = self._table("mistakes")
        rows = tuple(row for row, key in zip(wrong.rows, wrong.keys, strict=True) if key == lesson)
        tables = (
            learning.lesson_months(found, self.catalogue),
            learning.lesson_schools(found, self.catalogue),
            replace(wrong, rows=rows, keys=()),
        )
        months, schools, mine = (table.without("schools") if self.school else table for table in tables)
        return months, schools, mine

    def _catch_up(self) -> None:
        if not self.is_caught_up:
            sums.catch_up(self.database)

    @property
    def names(self) -> tuple[str, ...]:
        """The reports there are; of a refused file nobody knows the school."""
        return OF_A_SCHOOL if self.school else NAMES

    @cached_property
    def catalogue(self) -> Catalogue:
        """What lessons are called."""
        return catalogue(self.folder, self.words)

    @cached_property
    def _blocks(self) -> Answers:
        return blocks(self.database, self.period, self.school)

    @cached_property
    def _groups(self) -> Answers:
        return groups(self.database, self.period, self.school)

    @cached_property
    def devices(self) -> list[field.DeviceRow]:
        """Every device."""
        return field.devices(self.database, self.now, self.school)

    def _table(self, name: str) -> Table:
        if name == "schools":
            return field.school_table(self._learned(), learning.NUMBERS, self.devices, self.words)
        if name == "deliveries":
            return field.delivery_table(self.database, self.school)
        if name == "refused":
            return field.refused_table(self.database, self.words)
        if name in ("devices", "versions"):
            return (field.device_table if name == "devices" else field.version_table)(self.devices, self.words)
        # Another language or another state of the packs gives other words.
        return self._kept(name, partial(self._learning, name), self.words.lang, self.catalogue.state)

    def _learning(self, name: str) -> Table:
        if name == "mistakes":
            return mistakes(self.database, self.period, self.catalogue, self.school)
        if name == "months":
            return learning.months(self._blocks, self.catalogue)
        if name == "details":
            every = groups(self.database, self.period, self.school, by_month=True)
            return learning.details(every, self.catalogue)
        return (learning.lessons if name == "lessons" else learning.skills)(self._groups, self.catalogue)

    def _learned(self) -> dict[str, tuple[Cell, ...]]:
        """Return what the learners of every school did: nothing, what may be shown, or that it may not."""
        codes = [code for (code,) in self.database.rows("SELECT code FROM schools ORDER BY code")]
        learned = self._kept("learned", lambda: learning.of_schools(self._blocks))
        nothing = learning.added_up([])
        return {code: learned.get(code, nothing) for code in codes if self.school in ("", code)}

    def _kept(self, name: str, make: Callable[[], Kept], *more: Hashable) -> Kept:
        """Return what `make` returns, or returned before anything changed."""
        return self.memory.get(self.database, (name, self.period, self.school, *more), make)
