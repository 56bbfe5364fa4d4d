"""A report as a table: what a page, a file and the terminal show alike.

Pure. None stands for a number that is not shown, because fewer than five learners are behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from edge.words import Words

Kind = Literal["text", "number", "percent"]
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; its heading is `reports.column.KEY` in the strings."""

    key: str
    kind: Kind = "text"
    is_detail: bool = False
    """Only files show it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One report; its heading is `reports.table.NAME` in the strings."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: tuple[str, ...] = field(default=())
    """For each row what a page links it by: a school's code or a lesson's id; may be empty."""

    def headings(self, words: Words) -> list[str]:
        """Return what stands above the columns."""
        return [words.say(f"reports.column.{column.key}") for column in self.columns]

    def without(self, key: str) -> Table:
        """Return the table without a column that says nothing here."""
        kept = [place for place, column in enumerate(self.columns) if column.key != key]
        rows = tuple(tuple(row[place] for place in kept) for row in self.rows)
        return Table(self.name, tuple(self.columns[place] for place in kept), rows, self.keys)

    def as_json(self) -> list[dict[str, Any]]:
        """Return every row by the keys of its columns."""
        names = [column.key for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def text(name: str, *, detail: bool = False) -> Column:
    """Return a column of words."""
    return Column(name, "text", detail)


def number(name: str, *, detail: bool = False) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "number", detail)


def percent(name: str) -> Column:
    """Return a column of whole hundredths."""
    return Column(name, "percent")


def lines(table: Table, words: Words) -> list[str]:
    """Return a table for a terminal: heading, then columns one below the other."""
    places = [place for place, column in enumerate(table.columns) if not column.is_detail]
    rows: list[Sequence[str]] = [[table.headings(words)[place] for place in places]]
    few = words.say("reports.few")
    rows += [[few if row[place] is None else str(row[place]) for place in places] for row in table.rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(places))]
    numbers = [table.columns[place].kind != "text" for place in places]
    said = [words.say(f"reports.table.{table.name}")]
    for row in rows:
        cells = zip(row, widths, numbers, strict=True)
        said.append("  ".join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in cells).rstrip())
    return said
