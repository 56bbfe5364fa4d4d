"""From an XLSForm back to a decision table: every text and condition where the form shows it, then judged as any table.

Nothing is guessed. What the form says once is read; what follows from it (what is shown when, which answers are needed)
is written again from the table, and a cell that says otherwise is named. So an imported table decides as its form does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from pathlib import Path

from edge.library.pack import Complaint
from edge.triage.check import check
from edge.triage.errors import TriageError
from edge.triage.parts import Approval, Table
from edge.triage.table import read_bytes
from edge.triage.workbook import Line, Page
from edge.triage.xlsform import APPROVAL, CHOICES, GUIDELINES, LABELS, SURELY, SURVEY, sheets
from edge.triage.xlsform_draft import Draft, Fault, Survey
from edge.words import LANGUAGES

SHEETS = {"survey": SURVEY, "choices": CHOICES, "settings": (), "guidelines": GUIDELINES}
SETTINGS = ("form_title", "form_id", "version", "default_language", *APPROVAL)
NEEDED = ("title", "who", SURELY, "row")
"""Rows of the survey without which no table can be made."""

SIDE_ROWS = ("start", "end", "today", "deviceid", "username", "phonenumber", "audit")
"""Kinds of rows that say something of the visit and nothing of the table."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a form."""

    toml: str
    """The table as a file of ours."""

    table: Table | None
    """None when there are faults."""

    faults: tuple[Fault, ...]
    was_approved: str = ""
    """Who had approved the table that the form came from; a workbook that anybody may change carries no approval."""


def import_form(pages: dict[str, Page], path: Path) -> Imported:
    """Make a table of a form; `path` is where it is to stand."""
    _refuse_plain(pages, path)
    pages = {name: _in_our_words(page) for name, page in pages.items()}
    unknown = tuple(_unknown(pages))
    survey = Survey(pages["survey"], pages["choices"])
    draft = Draft()
    draft.head(pages["settings"], survey)
    draft.guidelines(pages["guidelines"])
    survey.questions(draft)
    survey.rows(draft)
    survey.doses(draft)
    toml = draft.text()
    faults = [*unknown, *draft.faults]
    table, complaints = (None, []) if faults else read_bytes(path, toml.encode())
    if table is not None and not complaints:
        complaints = check(table)
    faults += [_placed(one, draft, pages["survey"]) for one in complaints]
    approval = _approval(pages["settings"])
    if table is not None and not faults:
        faults += _differing(replace(table, approval=approval), pages)
    return Imported(toml, None if faults else table, tuple(faults), approval.by if approval else "")


def _refuse_plain(pages: dict[str, Page], path: Path) -> None:
    """Say what a form of another editor does not have, all at once."""
    missing = [name for name in SHEETS if name not in pages or not pages[name].lines]
    names = {line.cells.get("name", "") for line in pages["survey"].lines} if "survey" in pages else set()
    missing += [f"survey: {name}" for name in NEEDED if "survey" in pages and name not in names]
    if missing:
        raise TriageError("xlsform-plain", path=path, missing=", ".join(missing))


def _in_our_words(page: Page) -> Page:
    """Name the columns of a language as we do, whatever the editor calls it: `label::Spanish (es)`, `label::es`."""
    ours = {}
    for heading in page.columns:
        kind, _, told = heading.partition("::")
        lang = told.rpartition("(")[2].rstrip(")").strip()
        ours[heading] = f"{kind}::{lang}" if kind in ("label", "hint") and lang in LANGUAGES else heading
    titles = {f"{one.partition('::')[0]}::{one[-3:-1]}": one for one in SURVEY if "::" in one}
    ours = {heading: titles.get(name, heading) for heading, name in ours.items()}
    lines = tuple(Line(line.number, {ours[name]: text for name, text in line.cells.items()}) for line in page.lines)
    return Page(page.name, {ours[heading]: letter for heading, letter in page.columns.items()}, lines)


def _unknown(pages: dict[str, Page]) -> Iterator[Fault]:
    """Name sheets, columns and rows of which nobody here knows what they mean."""
    for name, page in pages.items():
        if name not in SHEETS:
            if page.lines:
                yield Fault(name, "sheet-unknown", (("known", ", ".join(SHEETS)),))
            continue
        known = SHEETS[name] or SETTINGS
        for heading in page.columns:
            line = next((line for line in page.lines if line.cells.get(heading)), None)
            if heading not in known and line is not None:
                facts = (("name", heading), ("value", line.cells[heading][:60]), ("known", ", ".join(known)))
                yield Fault(page.cell(line, heading), "column-unknown", facts)


def _placed(complaint: Complaint, draft: Draft, survey: Page) -> Fault:
    """Say of a cell what was said of a line of the file made from it."""
    return Fault(draft.cell_of(complaint.line) or survey.name, complaint.key, complaint.values)


def _approval(settings: Page) -> Approval | None:
    by, on = (settings.lines[0].cells.get(heading, "") for heading in APPROVAL)
    try:
        return Approval(by, date.fromisoformat(on)) if by else None
    except ValueError:
        return None


def _differing(table: Table, pages: dict[str, Page]) -> Iterator[Fault]:
    """Name each cell that says something else than the table made of the whole form."""
    for sheet in sheets(table):
        page = pages[sheet.name]
        there = {_name(line.cells): line for line in page.lines}
        wanted = {_name(row): row for row in sheet.rows}
        for name, row in wanted.items():
            if name not in there:
                yield Fault(sheet.name, "form-lacks", (("name", " ".join(name)),))
                continue
            for heading in sheet.headings:
                found, must = there[name].cells.get(heading, ""), row.get(heading, "").strip()
                if _same(found, must) or _is_read(sheet.name, name, heading):
                    continue
                value, must = _first_difference(found, must)
                said = (("name", heading), ("value", value[:300]), ("must", must[:3000] or "-"))
                yield Fault(page.cell(there[name], heading), "form-differs", said)
        for name, line in there.items():
            if name not in wanted and line.cells.get("type", "-") not in SIDE_ROWS:
                facts = (("name", " ".join(filter(None, name))), ("value", line.cells.get("type", "")[:60]))
                yield Fault(page.cell(line, "type"), "form-more", facts)


def _name(cells: dict[str, str]) -> tuple[str, ...]:
    """Return what a row of a sheet is known by: its name and, for an answer, its list; settings have one row."""
    known_by = (cells.get("list_name", ""), cells.get("id", "") or cells.get("name", ""))
    return tuple(filter(None, known_by)) or (cells.get("type", "settings"),)


def _is_read(sheet: str, name: tuple[str, ...], heading: str) -> bool:
    """Tell whether a cell was read with its meaning, so that it may be written in another way."""
    titles = (*LABELS, "form_title", "default_language")
    return (sheet, name, heading) == ("survey", ("row",), "calculation") or (
        (sheet == "settings" and heading in titles) or name == ("approval",)
    )


def _first_difference(found: str, must: str) -> tuple[str, str]:
    """Return the first line in which two cells differ."""
    pairs = zip_longest(found.split("\n"), must.split("\n"), fillvalue="")
    return next((pair for pair in pairs if not _same(*pair)), (found, must))


def _same(found: str, must: str) -> bool:
    """Compare two cells; white space does not count."""
    return "".join(found.split()) == "".join(must.split())
