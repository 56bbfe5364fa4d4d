"""Tables as files for a spreadsheet: CSV holds one, XLSX as many as there are.

Pure. Numbers are numbers; a number that is not shown is an empty cell. A text that a spreadsheet would run as a
formula stays a text in both.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge.learning.roster import table as csv_table
from edge.words import Words

if TYPE_CHECKING:
    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

    from edge.hub.reports.table import Cell, Table

_ARMED = ("=", "+", "-", "@", "\t", "\r")
_WIDEST, _SHEET_NAME = 60, 31


def as_csv(table: Table, words: Words) -> bytes:
    """Return one table, written as the device's own lists are: semicolons, UTF-8 with its mark."""
    rows = [["" if cell is None else cell for cell in row] for row in table.rows]
    return csv_table(table.headings(words), rows)


def as_xlsx(tables: Sequence[Table], words: Words) -> bytes:
    """Return a workbook with a sheet for each table."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for table in tables:
        name = words.say(f"reports.table.{table.name}")[:_SHEET_NAME]
        _fill(book.create_sheet(name), table.headings(words), table)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fill(sheet: Worksheet, headings: list[str], table: Table) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for place, heading in enumerate(headings, start=1):
        cell = _put(sheet, 1, place, heading)
        cell.font = Font(bold=True)
    for line, row in enumerate(table.rows, start=2):
        for place, value in enumerate(row, start=1):
            _put(sheet, line, place, value)
    for place, heading in enumerate(headings, start=1):
        longest = max((len(str(row[place - 1])) for row in table.rows), default=0)
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest, len(heading)), _WIDEST) + 2
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _put(sheet: Worksheet, line: int, place: int, value: Cell) -> SheetCell:
    cell = sheet.cell(line, place)
    cell.value = None if value == "" else value
    if isinstance(value, str) and value.startswith(_ARMED):
        cell.data_type = "s"
        cell.quotePrefix = True
    return cell
