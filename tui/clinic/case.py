"""The visit that is being kept: what its tables said, as the records hold it, and back from there.

Decides nothing; a table that changed since is not asked again by itself: what it said stands as it was said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from edge.errors import EdgeError
from edge.records.visit import Patient
from edge.records.visit import Visit as Kept
from edge.triage.age import read_date
from edge.triage.answers import read_answers, written
from edge.triage.run import canonical, make_run
from tui.clinic.visit import Visit, Walk, age_months

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.records.book import Book
    from edge.triage.parts import Table
    from tui.clinic.visit import Finding


class Case:
    """A patient and a draft of the records."""

    def __init__(self, patient: Patient, kept: Kept) -> None:
        self.patient = patient
        self.kept = kept
        self.foreign: tuple[dict[str, Any], ...] = ()
        """Runs of tables that are here no longer, or in another version."""

        self.begun: dict[str, dict[str, str]] = {}
        """Answers to a table that is not finished, by its name and hash."""

    def save(self, visit: Visit, book: Book, now: datetime) -> None:
        """Write the draft again where anything is new, and how old the patient is once that is known."""
        known = known_age(visit, self.patient, now.astimezone().date())
        if known != self.patient:
            self.patient = book.add_patient(known, now)
        runs = (*self.foreign, *(self._run(finding, now) for finding in visit.findings))
        if canonical({"runs": runs}) != canonical({"runs": self.kept.runs}):
            self.write(book, now, replace(self.kept, runs=runs))
            self.begun = {}

    def write(self, book: Book, now: datetime, kept: Kept) -> None:
        """Write the draft as it is now."""
        self.kept = book.write(kept, now)

    def note(self, walk: Walk, book: Book) -> None:
        """Keep the answers to a table that is not finished."""
        answers = {name: written(answer) for name, answer in walk.answers.items()}
        book.begin(self.kept, walk.table.id, walk.table.sha256, answers)

    def _run(self, finding: Finding, now: datetime) -> dict[str, Any]:
        """Return a run as it was kept first; one that says something new is made now."""
        made = make_run(finding.table, finding.answers, now).facts()
        for run in self.kept.runs:
            if {**run, "at": made["at"]} == made:
                return run
        return made


def restored(case: Case, book: Book, find: Callable[[str], Table]) -> Visit:
    """Return the answers of a draft, so that one can go on with it."""
    visit, foreign = Visit(), []
    if case.patient.birth:
        visit.born = read_date(case.patient.birth)
    for run in case.kept.runs:
        table = same_table(run["table"]["id"], run["table"]["sha256"], find)
        if table is None:
            foreign.append(run)
        else:
            visit.keep(table, read_answers(table, run["answers"], read_date(case.kept.date)))
    case.foreign = tuple(foreign)
    if begun := book.begun(case.kept):
        case.begun = {f"{begun['table']} {begun['sha256']}": begun["answers"]}
    return visit


def walk_for(table: Table, visit: Visit, on: date, begun: Mapping[str, Mapping[str, str]]) -> Walk:
    """Return the way through a table, from where it was left when the power went."""
    walk = Walk(table, visit, on)
    if given := begun.get(f"{table.id} {table.sha256}"):
        walk.resume(read_answers(table, given, on))
    return walk


def same_table(name: str, sha256: str, find: Callable[[str], Table]) -> Table | None:
    """Return a table of the very same content; None where it is gone or another."""
    try:
        table = find(name)
    except EdgeError:
        return None
    return table if table.sha256 == sha256 else None


def known_age(visit: Visit, patient: Patient, on: date) -> Patient:
    """Return a patient with the date of birth, or the age, that was answered, where none was known."""
    if patient.birth:
        return patient
    if visit.born is not None:
        return replace(patient, birth=visit.born.isoformat(), age_months=None)
    months = age_months(visit, on)
    return replace(patient, age_months=int(months)) if months is not None and patient.age_months is None else patient


def ages_differ(patient: Patient, months: int | None, on: date) -> bool:
    """Tell whether an age that was answered cannot be this patient's."""
    from edge.triage.age import months_between

    if months is None or not patient.birth:
        return False
    return abs(months_between(read_date(patient.birth), on) - months) > 1
