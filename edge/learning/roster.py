"""Class lists as CSV, the way spreadsheets in the region write and read them.

Pure: text in, rows or a StoreError out. Semicolon, comma or tab; headings in any of our
languages; a cell that a spreadsheet would run as a formula is disarmed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StoreError
from edge.learning.learner import NAME_CHARACTERS, Learner, clean_name
from edge.words import LANGUAGES, Words

_NAME_HEADINGS = ("name", "nombre", "nome")
_LANG_HEADINGS = ("lang", "idioma", "lengua", "língua", "lingua", "language")
_ARMED = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of a class list."""

    name: str
    lang: str


def decode(content: bytes) -> str:
    """Return the text of a CSV file: UTF-8, or what old spreadsheets on Windows write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def parse_roster(text: str, path: Path, lang: str, words: Words) -> list[RosterRow]:
    """Read a class list; raise StoreError naming the first line that is not right.

    `lang` is for the rows that name none; `words` are for the reasons.
    """
    first = text.lstrip().partition("\n")[0]
    separator = max(";,\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise StoreError("roster-unreadable", path=path, reason=str(error)) from error
    full = [(number, line) for number, line in enumerate(lines, start=1) if any(map(str.strip, line))]
    headings = [heading.strip().casefold() for heading in full[0][1]] if full else []
    name_at = _column(headings, _NAME_HEADINGS)
    if name_at is None:
        raise StoreError("roster-column", path=path)
    lang_at = _column(headings, _LANG_HEADINGS)
    rows: list[RosterRow] = []
    for number, line in full[1:]:
        row = RosterRow(_cell(line, name_at), _cell(line, lang_at).casefold() or lang)
        if reason := _reason(row, rows, words):
            raise StoreError("roster-line", path=path, line=number, reason=reason)
        rows.append(RosterRow(clean_name(row.name), row.lang))
    return rows


def table(headings: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> bytes:
    """Return a table that a spreadsheet opens with its accents and numbers right."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_disarmed(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue().encode("utf-8-sig")


def roster(learners: Iterable[Learner]) -> bytes:
    """Return the class list of this device; `parse_roster` reads it back."""
    return table(("name", "lang", "id"), [(learner.name, learner.lang, learner.id) for learner in learners])


def _column(headings: Sequence[str], names: Sequence[str]) -> int | None:
    return next((at for at, heading in enumerate(headings) if heading in names), None)


def _cell(line: Sequence[str], at: int | None) -> str:
    cell = line[at].strip() if at is not None and at < len(line) else ""
    return cell[1:] if cell[:1] == "'" and _is_armed(cell) else cell


def _disarmed(cell: str) -> str:
    return f"'{cell}" if _is_armed(cell) else cell


def _is_armed(cell: str) -> bool:
    """Tell whether a cell is a formula, or one disarmed already: another quote then keeps both apart."""
    return cell.lstrip("'").startswith(_ARMED)


def _reason(row: RosterRow, rows: Sequence[RosterRow], words: Words) -> str:
    """Return what is wrong with a row, or nothing."""
    name = " ".join(row.name.split())
    if not any(c.isprintable() and not c.isspace() for c in name):
        return words.say("learners.reason-empty")
    if len(name) > NAME_CHARACTERS:
        return words.say("learners.reason-long", most=NAME_CHARACTERS)
    if row.lang not in LANGUAGES:
        return words.say("learners.reason-lang", lang=row.lang[:20], choices=", ".join(LANGUAGES))
    if any(name.casefold() == other.name.casefold() for other in rows):
        return words.say("learners.reason-twice", name=name)
    return ""
