"""What the records hold, in words and lines: a patient, a visit, a list of visits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.records.fhir import outcome_title
from edge.records.visit import Patient, Visit
from edge.triage.parts import URGENCIES, Table
from edge.words import Words, words_for
from tui.clinic.asks import Pick
from tui.clinic.told import Kind, Line

MOST_FINDINGS = 4
"""On the page of a visit; all of them stand in the referral."""


def patient_line(patient: Patient, words: Words) -> str:
    """Say what tells a patient from others of that name."""
    edge = words_for("edge", words.lang)
    age = edge.say("records.months", months=patient.age_months) if patient.age_months is not None else ""
    sex = edge.say(f"records.sex-{patient.sex}") if patient.sex != "unknown" else ""
    said = (sex, day(patient.birth) or age, patient.community, patient.number)
    return " · ".join(piece for piece in said if piece)


def day(iso: str) -> str:
    """Write a date day first, as people here do."""
    year, _, rest = iso[:10].partition("-")
    month, _, number = rest.partition("-")
    return f"{int(number)}/{int(month)}/{year}" if number.isdecimal() and month.isdecimal() else ""


def visit_pick(patient: Patient, visit: Visit, words: Words) -> Pick:
    """Say a visit in one line of a list: urgency, day, state, who."""
    edge = words_for("edge", words.lang)
    worst = worst_of(visit)
    urgency = edge.say(f"records.urgency-{worst or 'none'}").upper()
    state = edge.say(f"records.state-{visit.state}")
    return Pick(visit.id, f"{day(visit.date):<11} {state:<11} {patient.name}", urgency, worst or "quiet")


def worst_of(visit: Visit) -> Kind | None:
    """Return the gravest urgency of a visit."""
    found = {run["decision"]["urgency"] for run in visit.runs}
    return next((urgency for urgency in URGENCIES if urgency in found), None)


def visit_lines(patient: Patient, visit: Visit, tables: Mapping[str, Table], words: Words) -> Iterator[Line]:
    """Say what stands in a visit, the gravest first, and that approval is pending."""
    edge = words_for("edge", words.lang)
    yield "quiet", patient_line(patient, words)
    yield "quiet", words.say("records.state", day=day(visit.date), state=edge.say(f"records.state-{visit.state}"))
    if visit.confirmed_by:
        yield "quiet", words.say("records.confirmed", by=visit.confirmed_by, day=day(visit.confirmed_at))
    if visit.handed_to:
        yield "quiet", words.say("records.handed", to=visit.handed_to, day=day(visit.handed_at))
    runs = sorted(visit.runs, key=lambda run: URGENCIES.index(run["decision"]["urgency"]))
    for run in runs[:MOST_FINDINGS]:
        urgency: Kind = run["decision"]["urgency"]
        title = outcome_title(run, tables.get(run["table"]["sha256"]), words.lang)
        yield urgency, f"{edge.say(f'records.urgency-{urgency}').upper()}: {title}"
    if len(runs) > MOST_FINDINGS:
        yield "quiet", words.say("records.more", count=len(runs) - MOST_FINDINGS)
    for name in ("notes", "outcome"):
        if text := getattr(visit, name):
            yield "step", f"{words.say(f'records.{name}')}: {text}"
    for one in visit.corrections:
        yield "step", words.say("records.corrected", day=day(one.at), by=one.by, text=one.text)
    if any(not run["table"]["approved"] for run in runs):
        yield "pending", edge.say("clinic.pending")
