"""Read a workbook (.xlsx) that anybody may have made: its texts, and nothing else.

Whatever would have to be run, looked up elsewhere or unpacked without end is refused before a cell is read: formulas,
macros, links to other workbooks, files inside files, sheets and archives larger than any form.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unicodedata import category

from edge.triage.errors import TriageError
from edge.triage.fields import read_at_most

MOST_BYTES, MOST_UNPACKED, MOST_PARTS = 4 << 20, 32 << 20, 300
MOST_ROWS, MOST_COLUMNS, LAST_ROW = 3000, 80, 1 << 20
"""LAST_ROW: where every spreadsheet program ends; an empty row there is no harm."""

STRANGE_PARTS = re.compile(
    r"externallink|vbaproject|/embeddings/|/activex|connections\.xml|querytable|/oleobject", re.I
)
OUTSIDE = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>")
UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError,
    NotImplementedError, SyntaxError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What openpyxl and zipfile raise on a broken workbook; what is no XML is a SyntaxError."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a sheet: the texts that stand in it, by heading."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet."""

    name: str
    columns: dict[str, str]
    """The letter of each heading."""

    lines: tuple[Line, ...]

    def cell(self, line: Line, heading: str) -> str:
        """Return where a cell is, as a spreadsheet program calls it; the row where there is no such column."""
        return f"{self.name}!{self.columns.get(heading, '')}{line.number}"


def read_workbook(path: Path) -> dict[str, Page]:
    """Return the sheets by name; raise TriageError for whatever is no plain workbook of texts."""
    content = _unpacked(path)
    if find_spec("openpyxl") is None:
        raise TriageError("xlsform-extra")
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        return {sheet.title: _page(path, sheet) for sheet in book.worksheets}
    except (*UNREADABLE, InvalidFileException) as error:
        raise TriageError("workbook-broken", path=path, reason=str(error)[:80] or type(error).__name__) from error


def is_plain(text: str) -> bool:
    """Tell whether a text is only what one sees: no controls but the end of a line, nothing that turns or hides."""
    return all(char == "\n" or category(char) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for char in text)


def _unpacked(path: Path) -> bytes:
    """Return the bytes of a workbook whose parts have all been looked at."""
    content = read_at_most(path, MOST_BYTES, "table-unreadable")
    if content is None:
        raise TriageError("workbook-large", path=path, what=f"> {MOST_BYTES >> 20} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
                raise TriageError("workbook-large", path=path, what=f"{len(parts)} / {unpacked >> 20} MB")
            if len({part.filename.casefold() for part in parts}) < len(parts):
                raise TriageError("workbook-broken", path=path, reason="zip")
            for part in parts:
                _look_at(path, part.filename, archive.read(part))
    except (*UNREADABLE, RuntimeError) as error:  # RuntimeError: locked by a password
        raise TriageError("workbook-broken", path=path, reason=str(error)[:80]) from error
    return content


def _look_at(path: Path, name: str, content: bytes) -> None:
    if STRANGE_PARTS.search(name):
        raise TriageError("workbook-strange", path=path, part=name[:80])
    if not name.lower().endswith((".xml", ".rels")):
        return
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TriageError("workbook-strange", path=path, part=name[:80]) from error
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise TriageError("workbook-strange", path=path, part=name[:80])
    for link in OUTSIDE.findall(content):
        if b"/hyperlink" not in link:
            raise TriageError("workbook-strange", path=path, part=name[:80])


def _page(path: Path, sheet: Any) -> Page:
    """Read one sheet; its first row names the columns."""
    sheet.reset_dimensions()  # what it says of its own size may be anything
    columns: dict[str, str] = {}
    lines: list[Line] = []
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > LAST_ROW:
            raise TriageError("workbook-large", path=path, what=f"{sheet.title}!{number}")
        filled = [cell for cell in row if cell.value is not None]
        texts = {cell.column_letter: text for cell in filled if (text := _text(path, sheet.title, cell))}
        if not texts:
            continue
        if number > MOST_ROWS or len(row) > MOST_COLUMNS:
            raise TriageError("workbook-large", path=path, what=f"{sheet.title}!{filled[-1].coordinate}")
        if not columns:
            columns = _headings(path, sheet.title, number, texts)
            continue
        letters = {letter: heading for heading, letter in columns.items()}
        if nameless := next((letter for letter in texts if letter not in letters), ""):
            raise TriageError("workbook-nameless", cell=f"{sheet.title}!{nameless}{number}", value=texts[nameless][:60])
        lines.append(Line(number, {letters[letter]: text for letter, text in texts.items()}))
    return Page(sheet.title, columns, tuple(lines))


def _headings(path: Path, title: str, number: int, texts: dict[str, str]) -> dict[str, str]:
    columns = {text: letter for letter, text in texts.items()}
    if len(columns) < len(texts):
        twice = next(text for text in columns if list(texts.values()).count(text) > 1)
        raise TriageError("workbook-twice", path=path, cell=f"{title}!{columns[twice]}{number}", value=twice[:60])
    return columns


def _text(path: Path, title: str, cell: Any) -> str:
    """Return a cell as the text that it shows; a number without the .0 that spreadsheet programs add."""
    where = f"{title}!{cell.coordinate}"
    if cell.data_type == "f":
        raise TriageError("workbook-formula", path=path, cell=where, value=str(cell.value)[:60])
    value = cell.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TriageError("workbook-value", path=path, cell=where, value=str(value)[:60])
    text = str(value).replace("\r\n", "\n").strip()
    if not is_plain(text):
        raise TriageError("workbook-value", path=path, cell=where, value=repr(text)[:60])
    return text
