"""The file of a decision table as it is drawn up from a form, each line knowing the cell it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from edge.triage.condition import MisreadError
from edge.triage.parts import Input
from edge.triage.workbook import Line, Page
from edge.triage.xlsform import (
    BAND,
    DANGER,
    DOSES,
    GUIDELINES,
    HINTS,
    KIND,
    LABELS,
    OUTCOME,
    SOURCE,
    SURELY,
    UNIT,
    URGENCY,
)  # fmt: skip
from edge.triage.xpath import as_condition, read_rows, settled
from edge.words import LANGUAGES, Value, words_for

BARE = re.compile(r"[A-Za-z0-9_-]+")
RANGE = re.compile(r"\. >= (-?\d+(?:\.\d+)?) and \. <= (-?\d+(?:\.\d+)?)(?:.* div (\d+(?:\.\d+)?).*)?")
BAND_PART = re.compile(r"(\w+) (-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)")
FIRST_LINES, LAST_LINES = 2, 2
"""Of the note of a row: urgency and title before the steps; source and approval after them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in one cell of a form."""

    cell: str
    key: str
    """Of the sentence, under `complaints`."""

    values: tuple[tuple[str, Value], ...] = ()

    def say(self, lang: str) -> str:
        """Return `sheet!cell: what is wrong` in `lang`."""
        return f"{self.cell}: {words_for('edge', lang).say(f'complaints.{self.key}', **dict(self.values))}"


@dataclass(slots=True)
class Draft:
    """Lines of TOML and the cells they were read from."""

    lines: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def put(self, line: str, cell: str = "") -> None:
        """Add a line."""
        self.lines.append(line)
        self.cells.append(cell)

    def say(self, name: str, text: str, cell: str) -> None:
        """Add a text, where there is one: a missing one is the table's own checker's to name."""
        if text:
            self.put(f"{name} = {quoted(text)}", cell)

    def complain(self, cell: str, key: str, **values: Value) -> None:
        """Note what is wrong with a cell."""
        self.faults.append(Fault(cell, key, tuple(values.items())))

    def text(self) -> str:
        """Return the whole file."""
        return "".join(f"{line}\n" for line in self.lines)

    def cell_of(self, line: int) -> str:
        """Return the cell that a line of the file was read from; one without a cell has that of a line above it."""
        return next((cell for cell in reversed(self.cells[: max(line, 1)]) if cell), "")

    def head(self, settings: Page, survey: Survey) -> None:
        """Write the head of the table; its approval is always still to come."""
        line = settings.lines[0]
        self.put("format = 1")
        self.say("id", line.cells.get("form_id", ""), settings.cell(line, "form_id"))
        self.say("version", line.cells.get("version", ""), settings.cell(line, "version"))
        self.put('approval = "pending"')
        for name in ("title", "who"):
            survey.every_language(self, name, survey.lines[name])

    def guidelines(self, page: Page) -> None:
        """Write the guidelines."""
        for line in page.lines:
            self.put("")
            self.put(f"[guidelines.{key(line.cells.get('id', ''))}]", page.cell(line, "id"))
            for name in GUIDELINES[1:]:
                told = line.cells.get(name, "")
                if name == "year" and told.isdecimal():
                    self.put(f"year = {int(told)}", page.cell(line, name))
                else:
                    self.say(name, told, page.cell(line, name))

    def source(self, page: Page, line: Line) -> None:
        """Write where something stands in a guideline."""
        for heading in SOURCE:
            told = line.cells.get(heading, "")
            self.put(f"source.{heading.removeprefix('amauta_')} = {quoted(told)}", page.cell(line, heading))


class Survey:
    """The questions, conditions, outcomes and doses of a form, each read where the form shows it."""

    def __init__(self, page: Page, choices: Page) -> None:
        self.page = page
        self.choices = choices
        self.lines = {line.cells.get("name", ""): line for line in page.lines}
        self.inputs: dict[str, Input] = {}
        """As far as conditions need to know them."""

    def every_language(self, draft: Draft, name: str, line: Line, headings: Sequence[str] = LABELS) -> None:
        """Write a text in every language as it stands in the label of a row."""
        for lang, heading in zip(LANGUAGES, headings, strict=True):
            draft.say(f"{name}.{lang}", line.cells.get(heading, ""), self.page.cell(line, heading))

    def questions(self, draft: Draft) -> None:
        """Write each row that asks something."""
        for line in self.page.lines:
            kind, _, answers = line.cells.get("type", "").partition(" ")
            asks = kind in ("select_one", "integer", "decimal") and answers.strip() != "measured"
            if asks:
                self._question(draft, line, kind, answers.strip())

    def _question(self, draft: Draft, line: Line, kind: str, answers: str) -> None:
        name, page = line.cells.get("name", ""), self.page
        measured = kind in ("integer", "decimal")
        told = line.cells.get(KIND, "number" if measured else "sign" if answers in ("signs", "yes_no") else "choice")
        codes = [c for c in self.choices.lines if c.cells.get("list_name") == answers] if told == "choice" else []
        known = f"{name}_known" in self.lines if measured else "unknown" in self._names(answers)
        draft.put("")
        draft.put(f"[inputs.{key(name)}]", page.cell(line, "name"))
        draft.say("kind", told, page.cell(line, KIND if KIND in line.cells else "type"))
        draft.say("danger", line.cells.get(DANGER, ""), page.cell(line, DANGER))
        if known != (told != "age"):
            draft.put(f"unknown = {str(known).lower()}", page.cell(line, "type"))
        if measured:
            self._range(draft, line)
        for code in codes:
            if (value := code.cells.get("name", "")) != "unknown":
                for lang, heading in zip(LANGUAGES, LABELS, strict=True):
                    cell = self.choices.cell(code, heading)
                    draft.say(f"codes.{key(value)}.{lang}", code.cells.get(heading, ""), cell)
        asked = line
        if measured:
            unit = line.cells.get(UNIT, "")
            cells = {h: _without_unit(line.cells.get(h, ""), told, unit, h) for h in LABELS}
            asked = Line(line.number, line.cells | cells)
        self.every_language(draft, "ask", asked)
        self.every_language(draft, "help", line, HINTS)
        self.inputs[name] = Input(name, "number" if measured else "sign", "", known, (), ())

    def _names(self, answers: str) -> set[str]:
        return {line.cells.get("name", "") for line in self.choices.lines if line.cells.get("list_name") == answers}

    def _range(self, draft: Draft, line: Line) -> None:
        told = line.cells.get("constraint", "")
        cell = self.page.cell(line, "constraint")
        found = RANGE.fullmatch(told)
        if found is None:
            draft.complain(cell, "form-range", value=told[:200])
            return
        draft.say("unit", line.cells.get(UNIT, ""), self.page.cell(line, UNIT))
        for name, number in zip(("min", "max", "step"), found.groups("1"), strict=True):
            draft.put(f"{name} = {Decimal(number)}", cell)

    def rows(self, draft: Draft) -> None:
        """Write the rows, their conditions as the form calculates them, then what they lead to."""
        line = self.lines["row"]
        cell = self.page.cell(line, "calculation")
        try:
            rows = [(n, settled(when, self.inputs)) for n, when in read_rows(line.cells.get("calculation", ""), SURELY)]
        except (MisreadError, InvalidOperation) as error:
            facts = error.values if isinstance(error, MisreadError) else {}
            draft.complain(cell, error.key if isinstance(error, MisreadError) else "xpath-short", **facts)
            return
        outcomes: dict[str, Line] = {}
        for number, (name, when) in enumerate(rows, 1):
            note = self.lines.get(f"row_{number}")
            if note is None:
                draft.complain(cell, "form-lacks", name=f"row_{number} ({name})")
                continue
            draft.put("")
            draft.put(f"[rows.{key(name)}]", cell)
            draft.say("urgency", note.cells.get(URGENCY, ""), self.page.cell(note, URGENCY))
            draft.say("when", as_condition(when), cell)
            draft.say("outcome", note.cells.get(OUTCOME, ""), self.page.cell(note, OUTCOME))
            draft.source(self.page, note)
            outcomes.setdefault(note.cells.get(OUTCOME, ""), note)
        for outcome, note in outcomes.items():
            self._outcome(draft, outcome, note)

    def _outcome(self, draft: Draft, name: str, note: Line) -> None:
        draft.put("")
        draft.put(f"[outcomes.{key(name)}]", self.page.cell(note, OUTCOME))
        for lang, heading in zip(LANGUAGES, LABELS, strict=True):
            cell = self.page.cell(note, heading)
            lines = note.cells.get(heading, "").split("\n")
            if len(lines) <= FIRST_LINES + LAST_LINES:
                draft.complain(cell, "form-note", value=note.cells.get(heading, "")[:60])
                continue
            draft.say(f"title.{lang}", lines[1], cell)
            steps = ", ".join(map(quoted, _steps(lines[FIRST_LINES:-LAST_LINES], lang)))
            draft.put(f"do.{lang} = [{steps}]", cell)
        doses = [one.strip() for one in note.cells.get(DOSES, "").split(",") if one.strip()]
        if doses:
            draft.put(f"doses = [{', '.join(map(quoted, doses))}]", self.page.cell(note, DOSES))

    def doses(self, draft: Draft) -> None:
        """Write each dose with its bands, from the notes that show them."""
        place = 1
        while refer := self.lines.get(f"dose_{place}_none"):
            number, bands = 1, []
            while band := self.lines.get(f"dose_{place}_{number}"):
                bands.append(band)
                number += 1
            if bands:
                self._dose(draft, bands, refer)
            place += 1

    def _dose(self, draft: Draft, bands: list[Line], refer: Line) -> None:
        first, page = bands[0], self.page
        name = key(first.cells.get(DOSES, ""))
        titles = {}
        for lang, heading in zip(LANGUAGES, LABELS, strict=True):
            said = words_for("edge", lang).say("clinic.dose-refer")
            titles[heading] = refer.cells.get(heading, "").removesuffix(f": {said}")
        draft.put("")
        draft.put(f"[doses.{name}]", page.cell(first, DOSES))
        self.every_language(draft, "title", Line(refer.number, titles))
        draft.put(f"by = [{', '.join(quoted(n) for n, _, _ in _parts(first))}]", page.cell(first, BAND))
        draft.source(page, first)
        for band in bands:
            draft.put("")
            draft.put(f"[[doses.{name}.bands]]", page.cell(band, BAND))
            for measure, least, below in _parts(band):
                draft.put(f"{key(measure)} = [{Decimal(least)}, {Decimal(below)}]", page.cell(band, BAND))
            amounts = {h: band.cells.get(h, "").removeprefix(f"{titles[h]}: ").rpartition("\n")[0] for h in LABELS}
            self.every_language(draft, "amount", Line(band.number, amounts))


def quoted(text: str) -> str:
    """Write a text as TOML does."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """Write a name as TOML does; whether it is a good one is the table's reader's to say."""
    return name if BARE.fullmatch(name) else quoted(name)


def _parts(band: Line) -> list[tuple[str, str, str]]:
    return [found.groups() for found in BAND_PART.finditer(band.cells.get(BAND, ""))]  # type: ignore[misc]


def _without_unit(label: str, kind: str, unit: str, heading: str) -> str:
    lang = LANGUAGES[LABELS.index(heading)]
    words = words_for("edge", lang)
    said = words.say(f"clinic.unit-{unit}") if kind == "age" and words.has(f"clinic.unit-{unit}") else unit
    return label.removesuffix(f" ({said})")


def _steps(lines: list[str], lang: str) -> list[str]:
    """Take the numbers off the steps; a line without the next number goes on with the step before."""
    steps: list[str] = []
    words = words_for("edge", lang)
    for line in lines:
        mark = words.say("clinic.step", number=len(steps) + 1, step="")
        if line.startswith(mark) or not steps:
            steps.append(line.removeprefix(mark))
        else:
            steps[-1] = f"{steps[-1]}\n{line}"
    return steps
