"""Everything a hub received: one set of tables, in an SQLite file or in PostgreSQL.

Adding is a set union (`edge.sync.merge` says what that means), so every import may be repeated. One bundle
is one step: after a power cut it is here whole or not at all. Whose bundle may come in belongs to `receive`.
SQL is written once, for both: `?` for values, `ON CONFLICT`, `coalesce`, qualified names on both sides of an
update, and no `right`, which is a word of PostgreSQL's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.reports.months import months_of
from edge.hub.schema import ALL
from edge.hub.stale import Touched, note
from edge.sync.facts import KINDS, Answer, Erasure, Kind, Stream, Talk

if TYPE_CHECKING:
    from edge.hub.postgres.connections import Connections

_ROWS: dict[Kind, type[Answer] | type[Talk] | type[Erasure]] = {"attempts": Answer, "turns": Talk, "erased": Erasure}
_CALLED = {"right": "correct"}
_FIELDS = {kind: tuple(_CALLED.get(name, name) for name in row._fields) for kind, row in _ROWS.items()}
_WORDS: dict[Kind, tuple[int, ...]] = {
    kind: tuple(place for place, name in enumerate(names) if name in ("lesson", "mode"))
    for kind, names in _FIELDS.items()
}

_ASKED_AT_ONCE = 500


class Engine(Protocol):
    """What SQLite and PostgreSQL do differently."""

    def begin(self, names: Sequence[str], *, alone: bool) -> None:
        """Begin a step that nobody else is in at the same time with one of `names`; or, `alone`, with any."""

    def begin_reading(self) -> None:
        """Everything read until the step ends is as of one moment."""

    def commit(self) -> None:
        """Keep for good what was done since `begin`."""

    def roll_back(self) -> None:
        """Undo what was done since `begin`."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a question finds."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Do it; return how many rows it concerned."""

    def words(self, texts: Sequence[str]) -> None:
        """Give words their numbers, if they have none; in one order, whoever asks."""

    def load(self, kind: Kind, columns: Sequence[str], rows: Iterable[Sequence[Any]], times: Iterable[int]) -> None:
        """Write rows that are not here; `times` are those of their facts."""

    def close(self) -> None:
        """Let go of it."""


def open_database(place: Place) -> Database:
    """Open the database of a hub, making its tables at the first time."""
    with Source(place) as source:
        return source.open()


class Source:
    """Opens the database of one hub as often as it is asked, from any thread; a server keeps one of these."""

    def __init__(self, place: Place, most: int = 1) -> None:
        self._place = place
        self._connections = _connections(place.address, place.id, most) if place.address else None

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connections is not None:
            self._connections.close()

    def open(self) -> Database:
        """Open the database. At most `most` are open at once where it is PostgreSQL; the next one waits."""
        if self._connections is not None:
            from edge.hub.postgres.engine import Postgres

            return Database(Postgres(self._connections))
        from edge.hub.sqlite import SQLite

        return Database(SQLite(self._place.database))


def check_address(address: str, hub: str) -> None:
    """See that a hub (`hub` where its keys are there already) can be made at this address of PostgreSQL."""
    _connections(address, hub, 1).check()


def _connections(address: str, hub: str, most: int) -> Connections:
    try:
        from edge.hub.postgres.address import checked
        from edge.hub.postgres.connections import Connections
    except ImportError as error:
        raise HubError("database-extra", reason=str(error)[:100]) from error
    return Connections(checked(address), hub, most=most)


class Database:
    """An open database. Close it when done."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._words: dict[str, int] = {}
        self._schools: dict[str, int] = {}
        self.touched: set[Touched] = set()
        """What the step in progress changed; whoever adds or deletes attempts says it here."""

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._engine.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a question finds."""
        return self._engine.rows(sql, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Do it, inside a step; return how many rows it concerned."""
        return self._engine.execute(sql, values)

    @contextmanager
    def step(self, streams: Sequence[Stream] = (), names: Iterable[str] = (), *, alone: bool = False) -> Iterator[None]:
        """Everything inside happens, or nothing does.

        `streams` are those that will be added, `names` those of devices that will change: with several workers,
        nobody else is inside a step of one of the same. `alone`: nobody else adds or changes any.
        """
        held = sorted({stream.device for stream in streams} | set(names))
        with self._ended():
            self._engine.begin(held, alone=alone or any(stream.erased for stream in streams))
            self.touched.clear()
            yield
            note(self, self.touched)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Everything read inside is as of one moment."""
        with self._ended():
            self._engine.begin_reading()
            yield

    @contextmanager
    def _ended(self) -> Iterator[None]:
        try:
            yield
            self._engine.commit()
        except BaseException:
            self._words.clear()
            self._schools.clear()
            self._engine.roll_back()
            raise

    def school(self, code: str) -> int:
        """Return the number of a school, giving it one if it has none; inside a step."""
        if code not in self._schools:
            new = "INSERT INTO schools (code) VALUES (?)"
            self._schools[code] = self._numbered("SELECT id FROM schools WHERE code = ?", new, code)
        return self._schools[code]

    def stream(self, name: str, school: int) -> int:
        """Return the number of a stream; the school that brings it first keeps it. Inside a step."""
        new = "INSERT INTO streams (name, school) VALUES (?, ?)"
        return self._numbered("SELECT id FROM streams WHERE name = ?", new, name, school)

    def _numbered(self, known: str, new: str, name: str, *more: int) -> int:
        while not (found := self.rows(known, [name])):
            self.execute(f"{new} ON CONFLICT DO NOTHING", [name, *more])
        return int(found[0][0])

    def audit(self, at: str, deed: str, *, file: str = "", device: str = "", outcome: str, detail: str = "") -> None:
        """Write down what was done or refused; inside a step."""
        self.execute(
            "INSERT INTO audit (at, deed, file, device, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [at, deed, file, device, outcome, detail],
        )

    def add(self, stream: Stream, number: int) -> int:
        """Unite a stream with what is here under `number`; return how many facts are new. Inside a step that names it."""
        new = self._add_rows("erased", number, stream.erased)
        for erased in stream.erased:
            self._forget(erased.learner)
        learners = {row.learner for row in stream.attempts} | {row.learner for row in stream.turns}
        gone, here = self._known(learners, number)
        for who in sorted(learners - gone - here):
            self.execute("INSERT INTO learners (learner, stream) VALUES (?, ?)", [who, number])
        for kind, rows in (("attempts", stream.attempts), ("turns", stream.turns)):
            kept = [row for row in rows if row.learner not in gone] if gone else rows
            added = self._add_rows(kind, number, kept)  # type: ignore[arg-type]
            if added and kind == "attempts":
                self.touched |= {(number, month) for month in months_of(row[-1] for row in kept)}
            new += added
        return new

    def _known(self, learners: set[int], number: int) -> tuple[set[int], set[int]]:
        """Return who of them is to be forgotten, and who is known to occur in this stream."""
        found: tuple[set[int], set[int]] = set(), set()
        left = sorted(learners)
        while left:
            some, left = left[:_ASKED_AT_ONCE], left[_ASKED_AT_ONCE:]
            marks = ", ".join("?" * len(some))
            sql = (
                f"SELECT 0, learner FROM erased WHERE learner IN ({marks}) UNION ALL "
                f"SELECT 1, learner FROM learners WHERE stream = ? AND learner IN ({marks})"
            )
            for place, who in self.rows(sql, [*some, number, *some]):
                found[place].add(who)
        return found

    def _forget(self, learner: int) -> None:
        for (stream,) in self.rows("SELECT stream FROM learners WHERE learner = ?", [learner]):
            self.touched.add((stream, ALL))
            few = "DELETE FROM sums_few WHERE school = (SELECT school FROM streams WHERE id = ?) AND learner = ?"
            self.execute(few, [stream, learner])
            for kind in ("attempts", "turns"):
                self.execute(f"DELETE FROM {kind} WHERE stream = ? AND learner = ?", [stream, learner])
        self.execute("DELETE FROM learners WHERE learner = ?", [learner])

    def _add_rows(self, kind: Kind, number: int, rows: Sequence[Any]) -> int:
        """Write what is not here; what has another content under a name that is taken is kept beside it."""
        if not rows:
            return 0
        columns = ("stream", "copy", *_FIELDS[kind])
        plain = self._plain(kind, number, rows)
        names = ", ".join(_FIELDS[kind])
        sql = f"SELECT {names} FROM {kind} WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq, copy"
        here = self.rows(sql, [number, rows[0][0], rows[-1][0]])
        if not here and len({row[0] for row in rows}) == len(rows):
            self._engine.load(kind, columns, plain, (row[-1] for row in rows))
            return len(rows)
        known: dict[int, list[tuple[Any, ...]]] = {}
        for row in here:
            known.setdefault(row[0], []).append(row)
        new = []
        for _, _, *content in plain:
            row = tuple(content)
            contents = known.setdefault(row[0], [])
            if row not in contents:
                new.append((number, len(contents), *row))
                contents.append(row)
        if new:
            self._engine.load(kind, columns, new, (row[-1] for row in new))
        if any(copy for _, copy, *_ in new):
            self.execute("UPDATE streams SET cloned = 1 WHERE id = ?", [number])
        return len(new)

    def _plain(self, kind: Kind, stream: int, rows: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield first copies of rows, with numbers in the place of words that repeat."""
        places = _WORDS[kind]
        number = self._words_of({row[place] for row in rows for place in places})
        if kind == "attempts":
            # The one hot path: a school year is a million of these.
            return ((stream, 0, s, who, number[les], it, gv, r, h, t, at) for s, who, les, it, gv, r, h, t, at in rows)
        return ((stream, 0, *(number[v] if i in places else v for i, v in enumerate(row))) for row in rows)

    def _words_of(self, texts: set[str]) -> dict[str, int]:
        """Return the numbers of words, these among them."""
        while unknown := sorted(texts - self._words.keys()):
            for begin in range(0, len(unknown), _ASKED_AT_ONCE):
                some = unknown[begin : begin + _ASKED_AT_ONCE]
                sql = f"SELECT text, id FROM words WHERE text IN ({', '.join('?' * len(some))})"
                self._words.update(self.rows(sql, some))
            if new := [text for text in unknown if text not in self._words]:
                self._engine.words(new)
        return self._words

    def streams(self) -> Iterator[tuple[str, str, Stream]]:
        """Yield everything as streams: (name, school, facts); what a twin or a test compares."""
        words = dict(self.rows("SELECT id, text FROM words"))
        listed = "SELECT streams.id, name, code FROM streams JOIN schools ON school = schools.id ORDER BY name"
        for number, name, school in self.rows(listed):
            facts: dict[str, tuple[Any, ...]] = {}
            for kind in KINDS:
                sql = f"SELECT {', '.join(_FIELDS[kind])} FROM {kind} WHERE stream = ? ORDER BY seq, copy"
                places = _WORDS[kind]
                facts[kind] = tuple(
                    _ROWS[kind]._make(words[v] if i in places else v for i, v in enumerate(row))
                    for row in self.rows(sql, [number])
                )
            yield name, school, Stream(name, **facts)
