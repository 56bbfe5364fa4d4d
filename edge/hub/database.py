"""Everything a hub received: one set of tables, in an SQLite file or in PostgreSQL.

Adding is a set union (`edge.sync.merge` says what that means), so every import may be repeated. One bundle
is inside one step: after a power cut it is here whole or not at all. Whose bundle may come in belongs to
`receive`, which facts are new to `union`.
SQL is written once, for both: `?` for values, `ON CONFLICT`, `coalesce`, qualified names on both sides of an
update, and no `right`, which is a word of PostgreSQL's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.stale import Touched, note
from edge.hub.union import FIELDS, ROWS, WORDS, Lines, Portion, Span, unite
from edge.sync.facts import KINDS, Kind, Stream

if TYPE_CHECKING:
    from edge.hub.postgres.connections import Connections

AUDIT = "INSERT INTO audit (at, deed, file, device, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)"
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

    def ask(self, questions: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """Return what each of several questions finds."""

    def execute_each(self, deeds: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Do each deed with each of its values."""

    def within(self, kind: Kind, fields: Sequence[str], spans: Sequence[Span]) -> list[tuple[Any, ...]]:
        """Return the stream and these fields of facts, in the order of their names."""

    def words(self, texts: Sequence[str]) -> None:
        """Give words their numbers, if they have none; in one order, whoever asks."""

    def load(self, kind: Kind, columns: Sequence[str], portions: Sequence[Lines]) -> None:
        """Write rows that are not here."""

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

    def ask(self, *questions: tuple[str, Sequence[Any]]) -> list[list[tuple[Any, ...]]]:
        """Return what each question finds, `{marks}` standing for its values, however many; all in one message to a server."""
        parts = [
            (place, sql, values[begin : begin + _ASKED_AT_ONCE])
            for place, (sql, values) in enumerate(questions)
            for begin in range(0, len(values), _ASKED_AT_ONCE)
        ]
        asked = [(sql.format(marks=", ".join("?" * len(some))), some) for _, sql, some in parts]
        found: list[list[tuple[Any, ...]]] = [[] for _ in questions]
        for (place, *_), rows in zip(parts, self._engine.ask(asked) if asked else [], strict=True):
            found[place] += rows
        return found

    def execute_each(self, *deeds: tuple[str, Sequence[Sequence[Any]]]) -> None:
        """Do each deed with each of its values, inside a step; all in one message to a server."""
        if deeds := tuple(deed for deed in deeds if deed[1]):
            self._engine.execute_each(deeds)

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
        self.execute(AUDIT, [at, deed, file, device, outcome, detail])

    def add(self, stream: Stream, number: int) -> int:
        """Unite a stream with what is here under `number`; return how many facts are new. Inside a step that names it."""
        unite(self, [portion := Portion(stream, number)])
        return portion.new

    def within(self, kind: Kind, spans: Sequence[Span]) -> list[tuple[Any, ...]]:
        """Return the stream and the fields of facts that are here already, in the order of their names."""
        return self._engine.within(kind, FIELDS[kind], spans) if spans else []

    def load(self, kind: Kind, portions: Sequence[Lines]) -> None:
        """Write facts that are not here; inside a step."""
        if portions:
            self._engine.load(kind, ("stream", "copy", *FIELDS[kind]), portions)

    def words_of(self, texts: set[str]) -> dict[str, int]:
        """Return the numbers of words, these among them."""
        while unknown := sorted(texts - self._words.keys()):
            self._words.update(*self.ask(("SELECT text, id FROM words WHERE text IN ({marks})", unknown)))
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
                sql = f"SELECT {', '.join(FIELDS[kind])} FROM {kind} WHERE stream = ? ORDER BY seq, copy"
                places = WORDS[kind]
                facts[kind] = tuple(
                    ROWS[kind]._make(words[v] if i in places else v for i, v in enumerate(row))
                    for row in self.rows(sql, [number])
                )
            yield name, school, Stream(name, **facts)
