"""The referral on one A5 page: who, what was found, how urgent, what was done, from which guideline, approved or not.

Chooses and lays out; every word on it is the health worker's, the table's or the strings'. Needs fpdf2 (extra `clinic`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from edge.records.errors import RecordsError
from edge.records.fhir import Facts, outcome_title
from edge.records.visit import Patient, Visit
from edge.triage.parts import URGENCIES, Table, in_language
from edge.words import Words

PAGE_MM = (148.0, 210.0)
"""A5."""

MARGIN_MM = 12.0
SIZES = (10.0, 9.0, 8.0, 7.0, 6.0)
"""Points; the largest at which all fits on one page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands under it."""

    heading: str
    lines: tuple[str, ...]
    strong: bool = False


def parts(patient: Patient, visit: Visit, tables: dict[str, Table], words: Words) -> tuple[Part, ...]:
    """Return what the page says, in its order; refuse a draft."""
    if visit.state == "draft":
        raise RecordsError("visit-draft", visit=visit.id)
    runs = sorted(visit.runs, key=lambda run: URGENCIES.index(run["decision"]["urgency"]))
    age = words.say("records.months", months=patient.age_months) if patient.age_months is not None else ""
    who = (
        patient.name,
        words.say(f"records.sex-{patient.sex}"),
        patient.birth or age,
        patient.community,
        patient.number,
    )
    urgency = words.say(f"records.urgency-{runs[0]['decision']['urgency'] if runs else 'none'}")
    found: list[str] = []
    sources: list[str] = []
    for run in runs:
        table = tables.get(run["table"]["sha256"])
        found += [f"{outcome_title(run, table, words.lang)}: {_because(run, table, words)}"]
        source = run["decision"]["source"]
        sources += [
            " · ".join(piece for piece in (source["guideline"], source["chart"], source["page"]) if piece)
            + f" ({run['table']['id']} {run['table']['version']})"
        ]
        if not run["table"]["approved"]:
            sources += [words.say("clinic.pending")]
    corrected = tuple(f"{one.at[:10]} {one.by}: {one.text}" for one in visit.corrections)
    made = (
        Part(words.say("records.page-who"), tuple(piece for piece in who if piece)),
        Part(words.say("records.page-urgency"), (urgency,), strong=True),
        Part(words.say("records.page-found"), (*found, *filter(None, [visit.notes]))),
        Part(words.say("records.page-done"), tuple(filter(None, [visit.outcome]))),
        Part(words.say("records.page-corrections"), corrected),
        Part(words.say("records.page-to"), tuple(filter(None, [visit.handed_to]))),
        Part(words.say("records.page-by"), (f"{visit.confirmed_by}, {visit.date}",)),
        Part(words.say("records.page-source"), tuple(dict.fromkeys(sources))),
    )
    return tuple(part for part in made if part.lines)


def page(patient: Patient, visit: Visit, tables: dict[str, Table], words: Words) -> bytes:
    """Return the page as a PDF; smaller letters where there is much to say, a second page where even that is not enough."""
    said = parts(patient, visit, tables, words)
    for size in SIZES:
        content, pages = _drawn(said, words.say("records.page-title"), size)
        if pages == 1:
            break
    return content


def text(patient: Patient, visit: Visit, tables: dict[str, Table], words: Words) -> str:
    """Return what the page says as lines of text."""
    lines = [words.say("records.page-title")]
    for part in parts(patient, visit, tables, words):
        lines += ["", f"{part.heading}:", *(f"  {line}" for line in part.lines)]
    return "\n".join(lines) + "\n"


def _because(run: Facts, table: Table | None, words: Words) -> str:
    """Say the answers that were enough for the outcome, in the words of the questions."""
    asked = {one.id: in_language(one.ask, words.lang) for one in table.inputs} if table else {}
    units = {one.id: one.unit for one in table.inputs if one.kind == "number"} if table else {}
    given = run["decision"]["because"].items()
    said = (f"{asked.get(name, name)} {_answer(answer, words)} {units.get(name, '')}".strip() for name, answer in given)
    return "; ".join(said)


def _answer(answer: str, words: Words) -> str:
    return words.say(f"clinic.answer-{answer}") if answer in ("yes", "no", "unknown") else answer


def _drawn(said: tuple[Part, ...], title: str, size: float) -> tuple[bytes, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It says that it cannot draw pictures; there are none.
            from fpdf import FPDF
    except ImportError as error:
        raise RecordsError("referral-extra") from error
    pdf = FPDF(unit="mm", format=PAGE_MM)
    pdf.set_margin(MARGIN_MM)
    pdf.set_auto_page_break(True, MARGIN_MM)
    pdf.set_title(printable(title))
    pdf.add_page()

    def write(text: str, points: float, style: str = "") -> None:
        pdf.set_font("Helvetica", style, points)
        pdf.multi_cell(0, points * 0.45, printable(text), align="L", new_x="LMARGIN", new_y="NEXT")

    write(title, size + 5, "B")
    for part in said:
        pdf.ln(size * 0.2)
        write(part.heading, size - 1, "B")
        for line in part.lines:
            write(line, size + 3 if part.strong else size, "B" if part.strong else "")
    return bytes(pdf.output()), pdf.page_no()


def printable(text: str) -> str:
    """Return a text with the letters that PDF's own fonts have; any other becomes `?`."""
    plain = text.translate(
        {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-", 0x2265: ">=", 0x2264: "<="}
    )
    return plain.encode("latin-1", "replace").decode("latin-1")
