"""A visit in the health worker's words, line by line, each with what kind of line it is.

Urgency always stands in words; screens may colour it besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from edge.triage.answers import question, written
from edge.triage.condition_said import condition_lines
from edge.triage.overlay_shelf import voice_lang
from edge.triage.parts import Input, Table, in_language, lines_in
from edge.triage.run import Decision, outcome_of
from edge.triage.say import (
    answer_in_words,
    approval_of,
    dose_lines,
    page_of,
    source_in_words,
    unit_of,
    words_of_overlay,
)
from edge.words import Words, words_for

if TYPE_CHECKING:
    from edge.triage.vaccines import Dose, Schedule
    from tui.clinic.visit import Finding

Kind = Literal["emergency", "urgent", "soon", "home", "title", "step", "dose", "quiet", "pending", "gap"]
Line = tuple[Kind, str]


def finding_lines(finding: Finding, words: Words) -> Iterator[Line]:
    """Say what a table found: urgency, what to do, doses with their rows, why, source, approval."""
    table, decision, edge = finding.table, finding.decision, words_for("edge", words.lang)
    outcome = next(one for one in table.outcomes if one.id == decision.outcome)
    yield decision.urgency, edge.say(f"clinic.urgency-{decision.urgency}")
    yield "title", in_language(outcome.title, words.lang)
    for number, step in enumerate(lines_in(outcome.do, words.lang), 1):
        yield "step", edge.say("clinic.step", number=number, step=step)
    yield from doses(table, decision, edge)
    for name in decision.look_again:
        asked = in_language(question(table, name).ask, words.lang)
        yield "title", edge.say("clinic.look-again", text=asked)
    yield from because(table, decision, words, all_of_them=False)
    yield "quiet", source_in_words(decision.source, decision.guideline, edge)
    yield "quiet", words.say("clinic.table", title=in_language(table.title, words.lang), version=table.version)
    yield approval_line(table, words)


def doses(table: Table, decision: Decision, edge: Words) -> Iterator[Line]:
    """Say each dose, and under it the row of the guideline in which it stands."""
    for found in decision.doses:
        first, *rest = dose_lines(table, found, edge)
        yield "dose", first
        yield from (("quiet", line) for line in rest)


def because(table: Table, decision: Decision, words: Words, all_of_them: bool) -> Iterator[Line]:
    """Say which answers were enough for the row: every one of them, or only what was found and measured."""
    edge = words_for("edge", words.lang)
    for name, given in decision.because:
        if all_of_them or given != "no":
            one = question(table, name)
            said = f"{in_language(one.ask, words.lang)} {answer_in_words(one, given, edge)}"
            yield "quiet", edge.say("clinic.because", text=said)


def approval_line(table: Table, words: Words) -> Line:
    """Say that the table still awaits its approval, or who gave it."""
    return ("pending" if table.approval is None else "quiet"), approval_of(table, words_for("edge", words.lang))


def spoken(finding: Finding, words: Words) -> str:
    """Return what is read aloud of a finding: urgency, what it is, what to do, doses; no sources."""
    heard = [text for kind, text in finding_lines(finding, words) if kind not in ("quiet", "gap")]
    return ".\n".join(heard)


def read_aloud(findings: list[Finding], words: Words) -> tuple[str, str | None]:
    """Return what is heard, gravest first, and in which language: nothing for that of the screens, None for no voice.

    One voice reads: of findings in other words than the gravest one's nothing is heard.
    """
    shown = findings[0].table.overlay if findings else None
    alike = [finding for finding in findings if finding.table.overlay == shown]
    if shown is None:
        return "\n".join(spoken(finding, words) for finding in alike), ""
    own = (text for finding in alike for text in words_of_overlay(finding.table, finding.decision) if text)
    return ".\n".join(own), voice_lang(shown)


def row_lines(table: Table, decision: Decision | None, words: Words) -> Iterator[Line]:
    """Say where a table, and the row that held, come from: guidelines, row, dose rows, version and its digest."""
    edge = words_for("edge", words.lang)
    yield "title", in_language(table.title, words.lang)
    yield "step", in_language(table.who, words.lang)
    yield approval_line(table, words)
    if decision is not None:
        row = next(one for one in table.rows if one.id == decision.row)
        yield "gap", ""
        yield "title", words.say("clinic.row", row=row.id, line=table.line_of("rows", row.id))
        first, *rest = condition_lines(table, row.when, edge)
        yield "step", words.say("clinic.when", when=first)
        yield from (("quiet", line) for line in rest)
        yield "step", in_language(outcome_of(table, row).title, words.lang)
        yield (
            "step",
            edge.say(
                "clinic.source",
                guideline=decision.guideline.name,
                chart=row.source.chart,
                page=page_of(row.source, edge),
            ),
        )
        yield from because(table, decision, words, all_of_them=True)
        yield from doses(table, decision, edge)
    yield "gap", ""
    for one in table.guidelines:
        yield "title", f"{one.name}, {one.edition}, {one.year}"
        yield "quiet", f"{one.publisher}. {one.licence}"
        if one.url:
            yield "quiet", one.url
    yield "gap", ""
    yield "quiet", words.say("clinic.version", version=table.version, sha256=table.sha256[:16], path=table.path.name)


def expected(one: Input, words: Words) -> str:
    """Say what may be typed to a question for a number or an age."""
    unit = unit_of(one, words_for("edge", words.lang))
    key = "clinic.type_age" if one.kind == "age" else "clinic.type_number"
    return words.say(key, unit=unit, least=written(one.least), most=written(one.most))


def vaccine_lines(schedule: Schedule, months: int, words: Words) -> Iterator[Line]:
    """Say what a country's schedule gives at an age, what comes next, and how many doses a card shows by then."""
    edge = words_for("edge", words.lang)
    for key, given in (("due-now", schedule.at(months)), ("due-next", schedule.next(months))):
        if given:
            yield "title", edge.say(f"clinic.{key}")
            yield from (("step", _vaccine(dose, edge)) for dose in given)
    yield "gap", ""
    yield "step", edge.say("clinic.due-card", count=len(schedule.until(months)))


def schedule_source(schedule: Schedule, words: Words) -> str:
    """Say where a schedule comes from, of which year it is, and that nobody approved it yet."""
    title = in_language(schedule.title, words.lang)
    facts = {"source": schedule.source, "publisher": schedule.publisher}
    said = words.say("clinic.schedule", title=title, year=schedule.year, **facts)
    return f"{said}\n{words_for('edge', words.lang).say('clinic.pending')}"


def _vaccine(dose: Dose, edge: Words) -> str:
    note = f" ({in_language(dose.note, edge.lang)})" if dose.note else ""
    title = in_language(dose.title, edge.lang)
    return edge.say("clinic.due", months=dose.months, title=title, dose=dose.which, note=note).strip()
