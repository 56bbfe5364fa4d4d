"""Judge a whole table: every combination of answers meets exactly one row, danger never lowers urgency, doses join up.

Nothing is sampled: see `diagram`. What is wrong comes with an example of the answers that show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from edge.library.pack import Complaint, complaint
from edge.triage.condition import Answer
from edge.triage.diagram import Cell
from edge.triage.parts import URGENCIES, Dose, Table
from edge.triage.proof import NOTHING, Proof, prove


def check(table: Table) -> list[Complaint]:
    """Return everything that is wrong with a table beyond the shape of its file."""
    complaints = [*_named(table), *_danger_first(table), *_unused(table)]
    for dose in table.doses:
        complaints += _bands(table, dose)
    proof = prove(table)
    # Where rows overlap or leave gaps there is no urgency to compare.
    return complaints + (list(_partition(table, proof)) or list(_monotone(table, proof)))


def _named(table: Table) -> Iterator[Complaint]:
    """People ask for a table by its id, and its file is found by its name."""
    if table.path.stem != table.id:
        yield complaint(table.path, table.line_of("id"), "id-file", id=table.id, file=table.path.name)


def _danger_first(table: Table) -> Iterator[Complaint]:
    for before, row in pairwise(table.rows):
        if URGENCIES.index(row.urgency) < URGENCIES.index(before.urgency):
            line = table.line_of("rows", row.id, "urgency")
            yield complaint(table.path, line, "row-order", row=row.id, urgency=row.urgency, before=before.urgency)


def _unused(table: Table) -> Iterator[Complaint]:
    asked = {one.id for one in prove(table).diagram.inputs} | {name for dose in table.doses for name in dose.by}
    for one in table.inputs:
        if one.id not in asked and one.kind != "age":  # the range of an age says for whom the table is
            yield complaint(table.path, table.line_of("inputs", one.id), "input-unused", name=one.id)
    for outcome in table.outcomes:
        if outcome.id not in {row.outcome for row in table.rows}:
            yield complaint(table.path, table.line_of("outcomes", outcome.id), "outcome-unused", name=outcome.id)
    for dose in table.doses:
        if not any(dose.id in outcome.doses for outcome in table.outcomes):
            yield complaint(table.path, table.line_of("doses", dose.id), "dose-unused", name=dose.id)


def _bands(table: Table, dose: Dose) -> Iterator[Complaint]:
    """Each band must begin where the one before it ends, on numbers that can be measured."""
    inputs = {one.id: one for one in table.inputs}
    for place, name in enumerate(dose.by):
        for number, (before, band) in enumerate(pairwise(dose.bands), 1):
            end, start = before.ranges[place][2], band.ranges[place][1]
            if end != start:
                key = "bands-gap" if end < start else "bands-overlap"
                line = table.line_of("doses", dose.id, "bands", str(number), name)
                yield complaint(table.path, line, key, dose=dose.id, name=name, end=str(end), start=str(start))
        for number, band in enumerate(dose.bands):
            for end in band.ranges[place][1:]:
                if (end - inputs[name].least) % inputs[name].step:
                    line = table.line_of("doses", dose.id, "bands", str(number), name)
                    facts = {"dose": dose.id, "name": name, "end": str(end), "step": str(inputs[name].step)}
                    yield complaint(table.path, line, "bands-step", **facts)


def _partition(table: Table, proof: Proof) -> Iterator[Complaint]:
    for row, own in zip(table.rows, proof.own, strict=True):
        if own == NOTHING:
            yield complaint(table.path, table.line_of("rows", row.id), "row-never", row=row.id)
    for first, second, where in proof.overlaps():
        line = table.line_of("rows", second.id, "when")
        example = in_words(proof.diagram.example(where))
        yield complaint(table.path, line, "rows-overlap", row=second.id, other=first.id, example=example)
    if (gap := proof.gap()) != NOTHING:
        yield complaint(table.path, table.line_of("rows"), "rows-gap", example=in_words(proof.diagram.example(gap)))


def _monotone(table: Table, proof: Proof) -> Iterator[Complaint]:
    for one, milder, graver, where in proof.lowered():
        example = proof.diagram.example(where)
        first, second = (_row_for(proof, {**example, one.id: cell}) for cell in (milder, graver))
        yield complaint(
            table.path, table.line_of("inputs", one.id), "danger-lowers", name=one.id, example=in_words(example),
            mild=str(milder), grave=str(graver), first=first, second=second,
        )  # fmt: skip


def _row_for(proof: Proof, cells: Mapping[str, Cell]) -> str:
    """Return the row, with its urgency, for answers of which those not named do not matter."""
    levels = proof.diagram.levels
    fixed = {levels[name]: proof.diagram.cell_of(levels[name], cell.first) for name, cell in cells.items()}
    row = proof.table.rows[max(proof.diagram.values(proof.taken, fixed)) - 1]
    return f"{row.id} ({row.urgency})"


def in_words(example: Mapping[str, Answer | Cell]) -> str:
    """Write answers as `convulsions = no, breaths = 50-120`; `…` where any will do."""
    return ", ".join(f"{name} = {answer}" for name, answer in example.items()) or "…"
