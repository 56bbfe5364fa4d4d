"""Every combination of answers at once: a condition as a diagram that branches on one input after another.

Numbers are cut into the stretches between the thresholds that occur, so that a few cells stand for all values;
a diagram keeps what is alike only once (a reduced ordered decision diagram). Two conditions agree everywhere
exactly when they are the same node, and nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from edge.triage.condition import UNKNOWN, Answer, AtLeast, Atom, Not, atoms, matches
from edge.triage.errors import TriageError
from edge.triage.parts import Input

MOST_NODES = 500_000

Node = int
"""A place in `Diagram.nodes`, or a value as -1 - value."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Answers of one input that no condition tells apart: one word, or the numbers from `first` to `last`."""

    first: Answer
    last: Answer

    def holds(self, answer: Answer) -> bool:
        """Tell whether an answer lies in this cell."""
        if isinstance(answer, str) or isinstance(self.first, str) or isinstance(self.last, str):
            return answer == self.first
        return self.first <= answer <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def cells_of(one: Input, used: Iterable[Atom]) -> tuple[Cell, ...]:
    """Cut the answers of an input where the atoms that ask for it change their mind."""
    if one.kind not in ("number", "age"):
        return tuple(Cell(word, word) for word in one.values())
    starts = {one.least}
    for atom in used:
        if atom.input == one.id and isinstance(atom.value, Decimal):
            at, after = atom.value, atom.value + one.step
            starts |= {"<": {at}, ">=": {at}, "<=": {after}, ">": {after}}.get(atom.op, {at, after})
    ordered = sorted(start for start in starts if one.least <= start <= one.most)
    ends = [*(start - one.step for start in ordered[1:]), one.most]
    unknown = (Cell(UNKNOWN, UNKNOWN),) if one.may_be_unknown else ()
    return (*(Cell(first, last) for first, last in zip(ordered, ends, strict=True)), *unknown)


class Diagram:
    """The conditions of one table over the inputs that they use, in the order of the file; refuses to grow without end."""

    def __init__(self, table: str, inputs: Iterable[Input], conditions: Iterable[Atom | Not | AtLeast]) -> None:
        self.table = table
        used = [atom for condition in conditions for atom in atoms(condition)]
        names = {atom.input for atom in used}
        self.inputs = tuple(one for one in inputs if one.id in names)
        self.cells = tuple(cells_of(one, used) for one in self.inputs)
        self.levels = {one.id: level for level, one in enumerate(self.inputs)}
        self.nodes: list[tuple[int, tuple[Node, ...]]] = []
        self._known: dict[tuple[int, tuple[Node, ...]], Node] = {}

    @property
    def combinations(self) -> int:
        """How many combinations of cells there are."""
        return prod(len(cells) for cells in self.cells)

    def condition(self, condition: Atom | Not | AtLeast) -> Node:
        """Return the node that is 1 where a condition holds and 0 elsewhere."""
        if isinstance(condition, Atom):
            level = self.levels[condition.input]
            held = tuple(value_node(int(matches(condition, cell.first))) for cell in self.cells[level])
            return self._make(level, held)
        if isinstance(condition, Not):
            return self.apply(lambda held: 1 - held[0], self.condition(condition.part))
        counts = value_node(0)
        for part in condition.parts:
            # No more is counted than is needed: this keeps `and` and `or` as small as they can be.
            counts = self.apply(lambda held: min(held[0] + held[1], condition.count), counts, self.condition(part))
        return self.apply(lambda held: int(held[0] >= condition.count), counts)

    def apply(self, function: Callable[[tuple[int, ...]], int], *nodes: Node) -> Node:
        """Return the node whose value is `function` of the values of `nodes`, for every combination."""
        seen: dict[tuple[Node, ...], Node] = {}

        def walk(at: tuple[Node, ...]) -> Node:
            if at not in seen:
                level = min((self.nodes[node][0] for node in at if node >= 0), default=None)
                if level is None:
                    seen[at] = value_node(function(tuple(-1 - node for node in at)))
                else:
                    branches = [self._children(node, level) for node in at]
                    seen[at] = self._make(level, tuple(walk(below) for below in zip(*branches, strict=True)))
            return seen[at]

        return walk(nodes)

    def fix(self, node: Node, level: int, cell: int) -> Node:
        """Return what remains of a node when the input at `level` has the answers of one cell."""
        seen: dict[Node, Node] = {}

        def walk(at: Node) -> Node:
            if at < 0 or self.nodes[at][0] > level:
                return at
            if at not in seen:
                own, children = self.nodes[at]
                seen[at] = children[cell] if own == level else self._make(own, tuple(map(walk, children)))
            return seen[at]

        return walk(node)

    def values(self, node: Node, fixed: Mapping[int, int]) -> set[int]:
        """Return every value a node can still have when some inputs (level: cell) are fixed."""
        found, seen, waiting = set(), {node}, [node]
        while waiting:
            at = waiting.pop()
            if at < 0:
                found.add(-1 - at)
                continue
            level, children = self.nodes[at]
            below = {children[fixed[level]]} if level in fixed else set(children)
            waiting += below - seen
            seen |= below
        return found

    def depends_on(self, node: Node, fixed: Mapping[int, int]) -> set[int]:
        """Return the levels that still change a node's value when some inputs (level: cell) are fixed."""
        levels: set[int] = set()
        known: dict[tuple[int, tuple[Node, ...]], Node] = {}
        seen: dict[Node, Node] = {}

        def walk(at: Node) -> Node:
            if at < 0:
                return at
            if at not in seen:
                level, children = self.nodes[at]
                if level in fixed:
                    seen[at] = walk(children[fixed[level]])
                elif len(set(below := tuple(map(walk, children)))) == 1:
                    seen[at] = below[0]
                else:
                    levels.add(level)
                    seen[at] = known.setdefault((level, below), len(known))
            return seen[at]

        walk(node)
        return levels

    def example(self, node: Node) -> dict[str, Cell]:
        """Return answers for which a node is not 0, naming only those inputs that it depends on."""
        found: dict[str, Cell] = {}
        while node >= 0:
            level, children = self.nodes[node]
            cell = next(number for number, child in enumerate(children) if child != value_node(0))
            found[self.inputs[level].id] = self.cells[level][cell]
            node = children[cell]
        return found

    def cell_of(self, level: int, answer: Answer) -> int:
        """Return the number of the cell an answer lies in."""
        return next(number for number, cell in enumerate(self.cells[level]) if cell.holds(answer))

    def _children(self, node: Node, level: int) -> tuple[Node, ...]:
        if node >= 0 and self.nodes[node][0] == level:
            return self.nodes[node][1]
        return (node,) * len(self.cells[level])

    def _make(self, level: int, children: tuple[Node, ...]) -> Node:
        if len(set(children)) == 1:
            return children[0]
        if (level, children) not in self._known:
            if len(self.nodes) >= MOST_NODES:
                raise TriageError("table-proof-large", table=self.table, most=MOST_NODES)
            self.nodes.append((level, children))
            self._known[level, children] = len(self.nodes) - 1
        return self._known[level, children]


def value_node(value: int) -> Node:
    """Return the node that has one value everywhere."""
    return -1 - value
