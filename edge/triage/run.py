"""From answers to what the guideline says: which row, why, which doses, and what to look at again.

Pure and exactly reproducible: the same table and the same answers give the same bytes. Nothing is computed that
does not stand in the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge.learning.attempt import stamp
from edge.triage.answers import checked, question, written
from edge.triage.condition import UNKNOWN, Answer, holds
from edge.triage.errors import TriageError
from edge.triage.parts import (
    URGENCIES,
    Dose,
    Guideline,
    Input,
    Outcome,
    Row,
    Shown,
    Source,
    Table,
    Text,
    Urgency,
    own_words,
)
from edge.triage.proof import Proof, prove


@dataclass(frozen=True, slots=True)
class FoundDose:
    """A row of a dose table as it was looked up."""

    dose: str
    by: str
    """The question it was looked up by, or nothing where none of them is known."""

    band: int
    """The number of the band in the table, from 1; 0 where there is none: refer."""

    amount: Text
    """Word for word; empty where there is no band."""

    source: Source


@dataclass(frozen=True, slots=True)
class Decision:
    """What a table says to some answers."""

    urgency: Urgency
    row: str
    outcome: str
    source: Source
    guideline: Guideline
    because: tuple[tuple[str, Answer], ...]
    """Answers that are enough for this row whatever the others are; none of them could be left out."""

    look_again: tuple[str, ...]
    """Questions answered `unknown` of which another answer would raise the urgency."""

    doses: tuple[FoundDose, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One use of a table, as it is kept: never changed, and enough to repeat it."""

    table: str
    version: str
    sha256: str
    approved: bool
    answers: tuple[tuple[str, Answer], ...]
    decision: Decision
    at: str
    """When, in UTC."""

    confirmed_by: str
    """Who confirmed it, or nothing."""

    overlay: Shown | None = None
    """Whose words in another language were shown, or nothing; they decide nothing."""

    def facts(self) -> dict[str, Any]:
        """Return the run as JSON can hold it; numbers are texts, so that no digit changes."""
        shown = self.overlay and {name: getattr(self.overlay, name) for name in ("id", "version", "lang", "sha256")}
        return {
            "table": {"id": self.table, "version": self.version, "sha256": self.sha256, "approved": self.approved},
            "answers": _written(self.answers),
            "decision": decision_facts(self.decision),
            "at": self.at,
            "confirmed_by": self.confirmed_by,
            **({"overlay": shown} if shown else {}),
        }


def make_run(table: Table, answers: Mapping[str, Answer], at: datetime, confirmed_by: str = "") -> Run:
    """Decide, and keep everything it took."""
    given = tuple((one.id, answers[one.id]) for one in table.inputs if one.id in answers)
    facts = {
        "table": table.id,
        "version": table.version,
        "sha256": table.sha256,
        "approved": table.approval is not None,
    }
    kept = {"at": stamp(at), "confirmed_by": confirmed_by, "overlay": table.overlay}
    return Run(**facts, answers=given, decision=decide(table, answers), **kept)  # type: ignore[arg-type]


def canonical(facts: Mapping[str, Any]) -> bytes:
    """Write facts in one way only: sorted, without spaces, UTF-8."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decide(table: Table, answers: Mapping[str, Answer]) -> Decision:
    """Say what a table says to these answers; what cannot change it may be missing."""
    for name, answer in answers.items():
        checked(question(table, name), answer)
    if missing := open_questions(table, answers):
        raise TriageError("answers-missing", table=table.id, names=", ".join(one.id for one in missing))
    proof = prove(table)
    row = row_for(table, {**{one.id: _any(one) for one in table.inputs}, **answers})
    outcome = outcome_of(table, row)
    return Decision(
        urgency=row.urgency,
        row=row.id,
        outcome=outcome.id,
        source=row.source,
        guideline=next(one for one in table.guidelines if one.id == row.source.guideline),
        because=_because(proof, answers),
        look_again=_look_again(proof, answers, row.urgency),
        doses=tuple(look_up(dose, answers) for dose in table.doses if dose.id in outcome.doses),
    )


def row_for(table: Table, answers: Mapping[str, Answer]) -> Row:
    """Return the one row that holds for a whole set of answers, by its conditions alone."""
    for urgency in URGENCIES:
        found = [row for row in table.rows if row.urgency == urgency and holds(row.when, answers)]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise TriageError("table-unproved", table=table.id, path=table.path)


def outcome_of(table: Table, row: Row) -> Outcome:
    """Return what a row leads to."""
    return next(outcome for outcome in table.outcomes if outcome.id == row.outcome)


def open_questions(table: Table, answers: Mapping[str, Answer]) -> tuple[Input, ...]:
    """Return the questions not yet answered that can still change something; the first is the next to ask."""
    proof = prove(table)
    levels = proof.diagram.depends_on(proof.taken, _fixed(proof, answers))
    names = {proof.diagram.inputs[level].id for level in levels}
    if table.age is not None:
        names.add(table.age.id)
    if not levels:
        row = table.rows[max(proof.diagram.values(proof.taken, _fixed(proof, answers))) - 1]
        names |= {
            name for dose in table.doses if dose.id in outcome_of(table, row).doses for name in _needed(dose, answers)
        }
    return tuple(one for one in table.inputs if one.id in names and one.id not in answers)


def look_up(dose: Dose, answers: Mapping[str, Answer]) -> FoundDose:
    """Find the band of a dose by the first measure that is known; none fits: no amount, refer."""
    by = next((name for name in dose.by if answers.get(name, UNKNOWN) != UNKNOWN), "")
    value = answers.get(by)
    for number, band in enumerate(dose.bands, 1):
        for name, least, below in band.ranges:
            if name == by and value is not None and not isinstance(value, str) and least <= value < below:
                return FoundDose(dose.id, by, number, band.amount, dose.source)
    return FoundDose(dose.id, by, 0, (), dose.source)


def decision_facts(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON can hold it."""
    guideline = decision.guideline
    return {
        "urgency": decision.urgency,
        "row": decision.row,
        "outcome": decision.outcome,
        "source": {
            "guideline": f"{guideline.name}, {guideline.edition}, {guideline.publisher}, {guideline.year}",
            "chart": decision.source.chart,
            "page": decision.source.page,
        },
        "because": _written(decision.because),
        "look_again": list(decision.look_again),
        "doses": [
            {"dose": one.dose, "by": one.by, "band": one.band, "amount": dict(own_words(one.amount)), "refer": one.band == 0,
             "source": {"chart": one.source.chart, "page": one.source.page}}
            for one in decision.doses
        ],
    }  # fmt: skip


def _written(answers: tuple[tuple[str, Answer], ...]) -> dict[str, str]:
    return {name: written(answer) for name, answer in answers}


def _needed(dose: Dose, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Return the measure to ask for next so that a dose can be looked up."""
    for name in dose.by:
        if name not in answers:
            return (name,)
        if answers[name] != UNKNOWN:
            return ()
    return ()


def _any(one: Input) -> Answer:
    """Return some answer, for a question whose answer was proved not to matter."""
    return one.least if one.kind in ("number", "age") else one.values()[0]


def _fixed(proof: Proof, answers: Mapping[str, Answer]) -> dict[int, int]:
    levels = proof.diagram.levels
    return {levels[name]: proof.diagram.cell_of(levels[name], a) for name, a in answers.items() if name in levels}


def _because(proof: Proof, answers: Mapping[str, Answer]) -> tuple[tuple[str, Answer], ...]:
    """Leave out one answer after another, the last asked first, as long as the row stays the same."""
    fixed = _fixed(proof, answers)
    for level in sorted(fixed, reverse=True):
        without = {other: cell for other, cell in fixed.items() if other != level}
        if len(proof.diagram.values(proof.taken, without)) == 1:
            fixed = without
    return tuple((proof.diagram.inputs[level].id, answers[proof.diagram.inputs[level].id]) for level in sorted(fixed))


def _look_again(proof: Proof, answers: Mapping[str, Answer], urgency: Urgency) -> tuple[str, ...]:
    """Return the unknown answers that matter upwards, each taken alone with the others as they are."""
    fixed = _fixed(proof, answers)
    rows = proof.table.rows
    found = []
    for level, one in enumerate(proof.diagram.inputs):
        if answers.get(one.id) == UNKNOWN:
            others = {other: cell for other, cell in fixed.items() if other != level}
            reached = proof.diagram.values(proof.taken, others)
            if min(URGENCIES.index(rows[number - 1].urgency) for number in reached) < URGENCIES.index(urgency):
                found.append(one.id)
    return tuple(found)
