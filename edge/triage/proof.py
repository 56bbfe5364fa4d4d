"""Which row of a table is taken for every combination of answers, proved by a diagram.

A row of a later section counts only where no row of an earlier one does; inside a section rows must not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise

from edge.triage.diagram import Cell, Diagram, Node, value_node
from edge.triage.parts import URGENCIES, Input, Row, Table

NOTHING = value_node(0)


@dataclass(frozen=True, slots=True)
class Proof:
    """A table, its diagram, and the node that says which row is taken: 0 for none, otherwise its number from 1."""

    table: Table
    diagram: Diagram
    own: tuple[Node, ...]
    """For each row, where it holds and no row of an earlier section does."""

    taken: Node

    def gap(self) -> Node:
        """Return the node that is 1 where no row holds."""
        return self.diagram.apply(lambda row: int(row[0] == 0), self.taken)

    def overlaps(self) -> Iterator[tuple[Row, Row, Node]]:
        """Return every two rows of one section that hold at once, with where they do."""
        rows = self.table.rows
        for second in range(len(rows)):
            for first in range(second):
                if rows[first].urgency == rows[second].urgency:
                    both = self.diagram.apply(lambda held: held[0] * held[1], self.own[first], self.own[second])
                    if both != NOTHING:
                        yield rows[first], rows[second], both

    def lowered(self) -> Iterator[tuple[Input, Cell, Cell, Node]]:
        """Return where a graver answer to a danger question lowers urgency: question, milder, graver, where."""
        ranks = [len(URGENCIES), *(URGENCIES.index(row.urgency) for row in self.table.rows)]
        urgency = self.diagram.apply(lambda row: ranks[row[0]], self.taken)
        for level, one in enumerate(self.diagram.inputs):
            for milder, graver in _pairs(one, self.diagram.cells[level]):
                sides = (self.diagram.fix(urgency, level, milder), self.diagram.fix(urgency, level, graver))
                wrong = self.diagram.apply(lambda rank: int(rank[1] > rank[0]), *sides)
                if wrong != NOTHING:
                    cells = self.diagram.cells[level]
                    yield one, cells[milder], cells[graver], wrong


def _pairs(one: Input, cells: tuple[Cell, ...]) -> Iterator[tuple[int, int]]:
    """Return the cells (milder, graver) of a danger question; unknown lies between the mildest and the gravest."""
    if not one.danger:
        return
    order = list(range(len(cells) - one.may_be_unknown))
    if one.danger in ("yes", "low"):
        order.reverse()
    yield from pairwise(order)
    if one.may_be_unknown:
        yield order[0], len(cells) - 1
        yield len(cells) - 1, order[-1]


def _times(number: int, held: tuple[int, ...]) -> int:
    return number * held[0]


def prove(table: Table) -> Proof:
    """Work out which row every combination of answers takes; refuse a table too complicated for that.

    Texts take no part, so a table in other words is not proved again.
    """
    asked = tuple(replace(one, ask=(), help=(), labels=()) for one in table.inputs)
    return _prove(replace(table, title=(), who=(), inputs=asked, outcomes=(), doses=(), lines=(), overlay=None))


@lru_cache(maxsize=64)
def _prove(table: Table) -> Proof:
    diagram = Diagram(table.id, table.inputs, (row.when for row in table.rows))
    own = [NOTHING] * len(table.rows)
    taken = NOTHING
    for urgency in URGENCIES:
        before = taken
        for number, row in enumerate(table.rows):
            if row.urgency == urgency:
                holds = diagram.condition(row.when)
                own[number] = diagram.apply(lambda at: int(at[0] and not at[1]), holds, before)
                numbered = diagram.apply(partial(_times, number + 1), own[number])
                taken = diagram.apply(lambda at: at[1] or at[0], numbered, taken)
    return Proof(table, diagram, tuple(own), taken)
