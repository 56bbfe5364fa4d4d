"""A decision table as an XLSForm, so that ODK or KoboToolbox on a phone asks and answers the same.

Pure up to the last step: sheets of texts. Conditions become XPath; nothing is shown before every question that
counts has its answer. A number that may be unknown is two questions, because an empty field is no answer. What a
form has no place for stands in columns and a sheet of our own, which other programs pass over: `xlsform_read` reads it back.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from edge.triage.condition import UNKNOWN, AtLeast, Atom, Not
from edge.triage.errors import TriageError
from edge.triage.parts import Dose, Input, Row, Source, Table, Text, in_language, lines_in
from edge.triage.say import approval_of, source_in_words
from edge.words import LANGUAGES, words_for

TITLES = {"es": "Español (es)", "pt": "Português (pt)", "en": "English (en)"}
LABELS = tuple(f"label::{TITLES[lang]}" for lang in LANGUAGES)
HINTS = tuple(f"hint::{TITLES[lang]}" for lang in LANGUAGES)
KIND, UNIT, DANGER = "amauta_kind", "amauta_unit", "amauta_danger"
URGENCY, OUTCOME, DOSES, BAND = "amauta_urgency", "amauta_outcome", "amauta_doses", "amauta_band"
SOURCE = ("amauta_guideline", "amauta_chart", "amauta_page")
OWN = (KIND, UNIT, DANGER, URGENCY, OUTCOME, DOSES, BAND, *SOURCE)
"""Columns that ODK and KoboToolbox do not know."""

SURVEY = ("type", "name", *LABELS, *HINTS, "required", "relevant", "constraint", "calculation", *OWN)
CHOICES = ("list_name", "name", *LABELS)
GUIDELINES = ("id", "name", "edition", "year", "publisher", "licence", "url")
APPROVAL = ("amauta_approved_by", "amauta_approved_on")
KNOWN = "_known"
SURELY = "answered"
"""The calculated field that is 1 when everything was answered."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its headings, and rows that name only what they fill."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def sheets(table: Table) -> tuple[Sheet, ...]:
    """Return the three sheets of an XLSForm, and one with the guidelines."""
    settings = {
        "form_title": f"{in_language(table.title, LANGUAGES[0])} ({approval_of(table, words_for('edge', LANGUAGES[0]))})",
        "form_id": table.id,
        "version": table.version,
        "default_language": TITLES[LANGUAGES[0]],
    }
    if table.approval is not None:
        settings |= dict(zip(APPROVAL, (table.approval.by, table.approval.on.isoformat()), strict=True))
    guidelines = ({name: str(getattr(one, name)) for name in GUIDELINES} for one in table.guidelines)
    return (
        Sheet("survey", SURVEY, tuple(_survey(table))),
        Sheet("choices", CHOICES, tuple(_choices(table))),
        Sheet("settings", tuple(settings), (settings,)),
        Sheet("guidelines", GUIDELINES, tuple(guidelines)),
    )


def as_xlsx(form: Sequence[Sheet]) -> bytes:
    """Write the sheets as a workbook; every cell is a text."""
    if find_spec("openpyxl") is None:
        raise TriageError("xlsform-extra")
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet in form:
        page = book.create_sheet(sheet.name)
        for line, row in enumerate((dict(zip(sheet.headings, sheet.headings, strict=True)), *sheet.rows), 1):
            for place, heading in enumerate(sheet.headings, 1):
                if text := row.get(heading):
                    cell = page.cell(line, place)
                    cell.value = text
                    cell.data_type = "s"  # a text that begins with = stays a text
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_xpath(condition: Atom | Not | AtLeast, inputs: dict[str, Input]) -> str:
    """Write a condition as XPath over the fields of the form, with the same meaning for `unknown`."""
    if isinstance(condition, Atom):
        return _atom(condition, inputs[condition.input])
    if isinstance(condition, Not):
        return f"not({as_xpath(condition.part, inputs)})"
    parts = [as_xpath(part, inputs) for part in condition.parts]
    if condition.count in (1, len(parts)):
        return f"({(' or ' if condition.count == 1 else ' and ').join(parts)})"
    return f"(({' + '.join(f'if({part}, 1, 0)' for part in parts)}) >= {condition.count})"


def _atom(atom: Atom, one: Input) -> str:
    field, known = f"${{{one.id}}}", f"${{{one.id}{KNOWN}}}"
    if one.kind in ("sign", "choice"):
        return f"{field} = '{atom.value}'"
    if atom.op == "is":
        return f"{known} = '{UNKNOWN}'"
    held = f"{field} {atom.op} {atom.value}"
    return f"({known} = 'known' and {held})" if one.may_be_unknown else held


def _survey(table: Table) -> Iterator[dict[str, str]]:
    approval = tuple((lang, approval_of(table, words_for("edge", lang))) for lang in LANGUAGES)
    yield {"type": "note", "name": "approval", **_labels(approval)}
    yield {"type": "note", "name": "title", **_labels(table.title)}
    yield {"type": "note", "name": "who", **_labels(table.who)}
    for one in table.inputs:
        yield from _question(one)
    inputs = {one.id: one for one in table.inputs}
    yield {"type": "calculate", "name": SURELY, "calculation": f"if({_answered(table)}, 1, 0)"}
    # Rows of a section never overlap and sections stand in order: the first that holds is the one.
    chosen = urgency = "''"
    for row in reversed(table.rows):
        when = as_xpath(row.when, inputs)
        chosen, urgency = f"if({when}, '{row.id}', {chosen})", f"if(${{row}} = '{row.id}', '{row.urgency}', {urgency})"
    yield {"type": "calculate", "name": "row", "calculation": f"if(${{{SURELY}}} = 1, {chosen}, '')"}
    yield {"type": "calculate", "name": "urgency", "calculation": urgency}
    for number, row in enumerate(table.rows, 1):
        yield {
            "type": "note",
            "name": f"row_{number}",
            "relevant": f"${{row}} = '{row.id}'",
            **_labels(_outcome(table, row)),
            URGENCY: row.urgency,
            OUTCOME: row.outcome,
            DOSES: ", ".join(next(one.doses for one in table.outcomes if one.id == row.outcome)),
            **_source(row.source),
        }
    for place, dose in enumerate(table.doses, 1):
        yield from _bands(table, dose, place, inputs)


def _question(one: Input) -> Iterator[dict[str, str]]:
    asked = {**_labels(one.ask), **(_labels(one.help, HINTS) if one.help else {}), "required": "yes"}
    facts = {KIND: one.kind, UNIT: one.unit, DANGER: one.danger}
    if one.kind == "sign":
        yield {"type": f"select_one {'signs' if one.may_be_unknown else 'yes_no'}", "name": one.id, **asked, **facts}
        return
    if one.kind == "choice":
        yield {"type": f"select_one {one.id}", "name": one.id, **asked, **facts}
        return
    whole = one.step == one.step.to_integral_value() and one.least == one.least.to_integral_value()
    steps = f"(. - {one.least}) div {one.step}"  # a whole number of them, but for what binary fractions lose
    stepped = "" if whole and one.step == 1 else f" and abs({steps} - round({steps})) < 0.001"
    measured = {"type": "integer" if whole else "decimal", "name": one.id, **asked, **facts}
    measured["constraint"] = f". >= {one.least} and . <= {one.most}{stepped}"
    if one.may_be_unknown:
        yield {"type": "select_one measured", "name": f"{one.id}{KNOWN}", **asked}
        measured["relevant"] = f"${{{one.id}{KNOWN}}} = 'known'"
    yield measured | _labels(tuple((lang, f"{text} ({unit_in(one, lang)})") for lang, text in one.ask))


def _answered(table: Table) -> str:
    parts = []
    for one in table.inputs:
        filled = f"${{{one.id}}} != ''"
        known = f"${{{one.id}{KNOWN}}}"
        measured = one.kind in ("number", "age") and one.may_be_unknown
        parts.append(f"({known} = '{UNKNOWN}' or ({known} = 'known' and {filled}))" if measured else filled)
    return " and ".join(parts)


def _bands(table: Table, dose: Dose, place: int, inputs: dict[str, Input]) -> Iterator[dict[str, str]]:
    """Show the one band that fits, by the first measure that is known, or that there is none."""
    rows = [row.id for row in table.rows if any(o.id == row.outcome and dose.id in o.doses for o in table.outcomes)]
    shown = "(" + " or ".join(f"${{row}} = '{row}'" for row in rows) + ")"
    fits = [" or ".join(_fitting(dose, number, inputs)) for number in range(len(dose.bands))]
    for number, band in enumerate(dose.bands):
        said = tuple((lang, f"{title}: {in_language(band.amount, lang)}") for lang, title in dose.title)
        said = tuple((lang, f"{text}\n{_cited(table, dose, lang)}") for lang, text in said)
        yield {
            "type": "note",
            "name": f"dose_{place}_{number + 1}",
            "relevant": f"{shown} and ({fits[number]})",
            **_labels(said),
            DOSES: dose.id,
            BAND: ", ".join(f"{name} {least} to {below}" for name, least, below in band.ranges),
            **_source(dose.source),
        }
    refer = tuple((lang, f"{title}: {words_for('edge', lang).say('clinic.dose-refer')}") for lang, title in dose.title)
    none = f"{shown} and not({' or '.join(fits)})"
    yield {"type": "note", "name": f"dose_{place}_none", "relevant": none, **_labels(refer)}


def _fitting(dose: Dose, number: int, inputs: dict[str, Input]) -> Iterator[str]:
    before = ""
    for name, least, below in dose.bands[number].ranges:
        known = f"${{{name}{KNOWN}}} = 'known' and " if inputs[name].may_be_unknown else ""
        yield f"({before}{known}${{{name}}} >= {least} and ${{{name}}} < {below})"
        if not known:
            return
        before += f"${{{name}{KNOWN}}} = '{UNKNOWN}' and "


def _choices(table: Table) -> Iterator[dict[str, str]]:
    for list_name, answers in (
        ("signs", ("yes", "no", UNKNOWN)),
        ("yes_no", ("yes", "no")),
        ("measured", ("known", UNKNOWN)),
    ):
        for answer in answers:
            yield {"list_name": list_name, "name": answer, **_labels(_said(f"answer-{answer}"))}
    for one in table.inputs:
        labels = [*zip(one.codes, one.labels, strict=True)]
        if one.kind == "choice" and one.may_be_unknown:
            labels.append((UNKNOWN, _said(f"answer-{UNKNOWN}")))
        for code, label in labels:
            yield {"list_name": one.id, "name": code, **_labels(label)}


def _outcome(table: Table, row: Row) -> Text:
    outcome = next(one for one in table.outcomes if one.id == row.outcome)
    guideline = next(one for one in table.guidelines if one.id == row.source.guideline)
    found = []
    for lang in LANGUAGES:
        words = words_for("edge", lang)
        steps = [words.say("clinic.step", number=n, step=step) for n, step in enumerate(lines_in(outcome.do, lang), 1)]
        head = [words.say(f"clinic.urgency-{row.urgency}"), in_language(outcome.title, lang)]
        found.append(
            (lang, "\n".join((*head, *steps, source_in_words(row.source, guideline, words), approval_of(table, words))))
        )
    return tuple(found)


def _source(source: Source) -> dict[str, str]:
    return dict(zip(SOURCE, (source.guideline, source.chart, source.page), strict=True))


def _cited(table: Table, dose: Dose, lang: str) -> str:
    guideline = next(one for one in table.guidelines if one.id == dose.source.guideline)
    return source_in_words(dose.source, guideline, words_for("edge", lang))


def unit_in(one: Input, lang: str) -> str:
    """Return the unit of a number, as it stands behind its question."""
    return words_for("edge", lang).say(f"clinic.unit-{one.unit}") if one.kind == "age" else one.unit


def _said(key: str) -> Text:
    return tuple((lang, words_for("edge", lang).say(f"clinic.{key}")) for lang in LANGUAGES)


def _labels(text: Text, headings: tuple[str, ...] = LABELS) -> dict[str, str]:
    return {heading: in_language(text, lang) for heading, lang in zip(headings, LANGUAGES, strict=True)}
