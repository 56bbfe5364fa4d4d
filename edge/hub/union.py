"""Unite what bundles say with what is here: only what is new is written, and all of it in a few statements.

This is the one place where it is known which facts are new. Two contents under one name are both kept: they
mean a cloned device. What was erased is taken from nobody again. Whose bundle may come in belongs to `receive`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from edge.hub.reports.months import months_of
from edge.hub.schema import ALL
from edge.sync.facts import Answer, Erasure, Kind, Stream, Talk

if TYPE_CHECKING:
    from edge.hub.database import Database

ROWS: dict[Kind, type[Answer] | type[Talk] | type[Erasure]] = {"attempts": Answer, "turns": Talk, "erased": Erasure}
_CALLED = {"right": "correct"}
FIELDS = {kind: tuple(_CALLED.get(name, name) for name in row._fields) for kind, row in ROWS.items()}
"""What the columns of facts are called in the tables; `stream` and `copy` come before them."""

WORDS: dict[Kind, tuple[int, ...]] = {
    kind: tuple(place for place, name in enumerate(names) if name in ("lesson", "mode"))
    for kind, names in FIELDS.items()
}
"""Which of them hold words that repeat: the tables hold numbers in their place."""

Span = tuple[int, int, int]
"""A stream, and the first and last number of facts in it."""

Lines = tuple[Iterable[Sequence[Any]], Sequence[int]]
"""Rows as they are kept, and the times of their facts."""

Contents = dict[tuple[int, int], list[tuple[Any, ...]]]
"""What is known under a stream and a number, the first content first."""

_SEQ, _WHO = itemgetter(0), itemgetter(1)


@dataclass(slots=True)
class Portion:
    """What one bundle says under one name, and what came of it."""

    stream: Stream
    number: int
    """Of the stream."""

    new: int = 0
    cloned: bool = False
    """Something of it has another content under the same name."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Rows of one stream that are not here."""

    number: int
    rows: Sequence[Any]
    copies: Sequence[int] = field(default=())
    """Which content under its name each row is; nothing where all are the first."""


def unite(database: Database, portions: Sequence[Portion]) -> None:
    """Add what is new, the earlier portions first, and count it in each; inside a step that names their streams."""
    _add(database, "erased", [(portion, portion.stream.erased) for portion in portions])
    for erased in (row for portion in portions for row in portion.stream.erased):
        _forget(database, erased.learner)
    gone = _meet(database, portions)
    kinds: tuple[Kind, ...] = ("attempts", "turns")
    for kind in kinds:
        _add(database, kind, [(portion, _without(gone, getattr(portion.stream, kind))) for portion in portions])


def _without(gone: set[int], rows: Sequence[Any]) -> Sequence[Any]:
    return [row for row in rows if row.learner not in gone] if gone else rows


def _meet(database: Database, portions: Sequence[Portion]) -> set[int]:
    """Note which learners occur in which streams; return who of them is to be forgotten."""
    met = {
        (who, portion.number)
        for portion in portions
        for who in {*map(_WHO, portion.stream.attempts), *map(_WHO, portion.stream.turns)}
    }
    asked = sorted({who for who, _ in met})
    gone, here = database.ask(
        ("SELECT learner FROM erased WHERE learner IN ({marks})", asked),
        ("SELECT learner, stream FROM learners WHERE learner IN ({marks})", asked),
    )
    forgotten = {who for (who,) in gone}
    new = sorted((who, number) for who, number in met.difference(here) if who not in forgotten)
    database.execute_each(("INSERT INTO learners (learner, stream) VALUES (?, ?)", new))
    return forgotten


def _forget(database: Database, learner: int) -> None:
    for (stream,) in database.rows("SELECT stream FROM learners WHERE learner = ?", [learner]):
        database.touched.add((stream, ALL))
        few = "DELETE FROM sums_few WHERE school = (SELECT school FROM streams WHERE id = ?) AND learner = ?"
        database.execute(few, [stream, learner])
        for kind in ("attempts", "turns"):
            database.execute(f"DELETE FROM {kind} WHERE stream = ? AND learner = ?", [stream, learner])
    database.execute("DELETE FROM learners WHERE learner = ?", [learner])


def _add(database: Database, kind: Kind, given: Sequence[tuple[Portion, Sequence[Any]]]) -> None:
    """Write what is not here; what has another content under a name that is taken is kept beside it."""
    given = [(portion, rows) for portion, rows in given if rows]
    columns = (map(itemgetter(place), rows) for _, rows in given for place in WORDS[kind])
    numbers = database.words_of(set().union(*columns))
    asked, doubtful = _united([(portion.number, rows[0][0], rows[-1][0]) for portion, rows in given])
    known: Contents = {}
    for stream, *row in database.within(kind, asked):
        known.setdefault((stream, row[0]), []).append(tuple(row))
        doubtful.add(stream)
    found: list[Fresh] = []
    for portion, rows in given:
        fresh = Fresh(portion.number, rows)
        if portion.number in doubtful or len(set(map(_SEQ, rows))) < len(rows):
            fresh = _fresh(kind, fresh, numbers, known)
        portion.new += len(fresh.rows)
        if any(fresh.copies):
            portion.cloned = True
            database.execute("UPDATE streams SET cloned = 1 WHERE id = ?", [portion.number])
        if fresh.rows:
            found.append(fresh)
    # In the order of the index: a stick has its files in any.
    found.sort(key=lambda fresh: (fresh.number, fresh.rows[0][0]))
    lines = [_plain(kind, fresh, numbers) for fresh in found]
    if kind == "attempts":
        for fresh, (_, times) in zip(found, lines, strict=True):
            ends = months_of((min(times), max(times)))
            database.touched |= {(fresh.number, month) for month in (ends if len(ends) == 1 else months_of(times))}
    database.load(kind, lines)


def _united(spans: Sequence[Span]) -> tuple[list[Span], set[int]]:
    """Return spans of which no two meet, and the streams in which two did."""
    apart: list[Span] = []
    met = set()
    for stream, first, last in sorted(spans):
        if apart and apart[-1][0] == stream and first <= apart[-1][2]:
            _, begun, end = apart.pop()
            apart.append((stream, begun, max(end, last)))
            met.add(stream)
        else:
            apart.append((stream, first, last))
    return apart, met


def _fresh(kind: Kind, given: Fresh, numbers: dict[str, int], known: Contents) -> Fresh:
    """Return what of `given` is not known, and let it be known from now on."""
    rows, copies = [], []
    plain, _ = _plain(kind, given, numbers)
    for row, (stream, _, *content) in zip(given.rows, plain, strict=False):
        contents = known.setdefault((stream, row[0]), [])
        if (found := tuple(content)) not in contents:
            rows.append(row)
            copies.append(len(contents))
            contents.append(found)
    return Fresh(given.number, rows, copies)


def _plain(kind: Kind, fresh: Fresh, numbers: dict[str, int]) -> Lines:
    """Return rows with numbers in the place of words that repeat."""
    columns: list[Any] = list(zip(*fresh.rows, strict=True))
    times = columns[-1]
    # A column at a time: no line of ours is run for each of a million rows.
    for place in WORDS[kind]:
        columns[place] = map(numbers.__getitem__, columns[place])
    return zip(repeat(fresh.number), fresh.copies or repeat(0), *columns, strict=False), times
