"""Every decision table that ships: all combinations of its answers, one by one, against what the checker proved.

Numbers are taken at both ends of each stretch between thresholds. A table with more than five million combinations
is sampled evenly; the proof itself never samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice, product

from edge.triage.check import check
from edge.triage.condition import Answer, holds
from edge.triage.diagram import Cell
from edge.triage.parts import URGENCIES, Table
from edge.triage.proof import Proof, prove
from edge.triage.run import decide
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read_table

MOST = 5_000_000
DECIDED = 500


def run() -> str:
    """Return a table with a row for each decision table."""
    lines = [
        "| table | combinations | nodes | check | tried | not exactly one row | other row than proved | `decide` |",
        "|---|---|---|---|---|---|---|---|",
    ]
    tried = 0
    for path in sorted(EMBEDDED.glob("*.toml")):
        table = read_table(path)
        begin = time.perf_counter()
        complaints = check(table)
        checked_ms = 1000 * (time.perf_counter() - begin)
        proof = prove(table)
        count, odd, other = _try_all(table, proof)
        tried += count
        lines.append(
            f"| {table.id} | {proof.diagram.combinations:,} | {len(proof.diagram.nodes):,} | {checked_ms:.0f} ms, "
            f"{len(complaints)} complaints | {count:,} | {odd} | {other} | {_decide_ms(table):.2f} ms |"
        )
    return "\n".join((*lines, f"\n{tried:,} combinations tried."))


def _cases(table: Table, proof: Proof) -> Iterator[dict[str, Answer]]:
    """Every combination; a number at the first, then at the last of its stretch, by turns."""
    fixed = {one.id: one.least if one.unit else one.values()[0] for one in table.inputs}
    names = [one.id for one in proof.diagram.inputs]
    step = max(1, proof.diagram.combinations // MOST)
    for number, cells in enumerate(islice(product(*proof.diagram.cells), 0, None, step)):
        yield fixed | dict(zip(names, (_end(cell, number) for cell in cells), strict=True))


def _end(cell: Cell, number: int) -> Answer:
    return cell.last if number % 2 else cell.first


def _try_all(table: Table, proof: Proof) -> tuple[int, int, int]:
    """Return how many cases were tried, met not exactly one row, and met another than the proof says."""
    sections = [[row for row in table.rows if row.urgency == urgency] for urgency in URGENCIES]
    numbers = {row.id: number for number, row in enumerate(table.rows, 1)}
    count = odd = other = 0
    for case in _cases(table, proof):
        count += 1
        met = next((found for rows in sections if (found := [row for row in rows if holds(row.when, case)])), [])
        if len(met) != 1:
            odd += 1
            continue
        levels = enumerate(proof.diagram.inputs)
        fixed = {level: proof.diagram.cell_of(level, case[one.id]) for level, one in levels}
        other += proof.diagram.values(proof.taken, fixed) != {numbers[met[0].id]}
    return count, odd, other


def _decide_ms(table: Table) -> float:
    """Return how long a decision with its reasons takes."""
    proof = prove(table)
    step = max(1, proof.diagram.combinations // DECIDED)
    cases = [case for number, case in enumerate(_cases(table, proof)) if number % step == 0]
    begin = time.perf_counter()
    for case in cases:
        decide(table, {one.id: case[one.id] for one in table.inputs})
    return 1000 * (time.perf_counter() - begin) / len(cases)
