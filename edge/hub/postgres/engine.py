"""What PostgreSQL does in its own way: locks by name, COPY, partitions made when a fact needs them.

Uniqueness of (stream, seq, copy) holds over all partitions because whoever adds to a stream holds its name;
within a partition an index sees to it as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from typing import Any

import psycopg

from edge.hub.postgres.connections import MAKING, Connection, Connections, is_there
from edge.hub.postgres.errors import plain_errors
from edge.hub.postgres.partitions import Partition, partitions_for
from edge.hub.union import Lines, Span
from edge.sync.facts import Kind

_ADDING = MAKING + 1
"""The advisory lock that whoever adds shares, and whoever must be alone does not."""

_PARTITIONED = ("attempts", "turns")
_TYPES = {"seq": "int8", "learner": "int8", "at": "int8", "hints": "int2", "correct": "int2"} | dict.fromkeys(
    ("item", "given", "question", "text"), "text"
)


class Postgres:
    """One connection."""

    def __init__(self, connections: Connections) -> None:
        self._connections, self._address = connections, connections.address
        self._connection = connections.take()
        self._beside: Connection | None = None

    def begin(self, names: Sequence[str], *, alone: bool) -> None:
        """Begin a step that nobody else is in at the same time with one of `names`; or, `alone`, with any."""
        deeds = ["BEGIN"]
        if alone:
            deeds.append(f"SELECT pg_advisory_xact_lock({_ADDING})")
        elif names:
            deeds.append(f"SELECT pg_advisory_xact_lock_shared({_ADDING})")
            # All in one order: two that want the same never wait for each other.
            keys = ", ".join(map(str, sorted(map(_key, names))))
            deeds.append(f"SELECT pg_advisory_xact_lock(key) FROM unnest(ARRAY[{keys}]::int8[]) AS held(key)")
        with plain_errors(self._address):
            # In one message: each costs a way to the server and back.
            self._connection.execute("; ".join(deeds).encode())

    def begin_reading(self) -> None:
        """Everything read until the step ends is as of one moment."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Keep for good what was done since `begin`."""
        self.execute("COMMIT")
        self._close_beside()

    def roll_back(self) -> None:
        """Undo what was done since `begin`; where the connection broke, the server does it."""
        self._close_beside()
        with suppress(psycopg.Error):
            self._connection.execute(b"ROLLBACK")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a question finds."""
        with plain_errors(self._address):
            return self._connection.execute(_marked(sql), _storable(values)).fetchall()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Do it; return how many rows it concerned."""
        with plain_errors(self._address):
            return self._connection.execute(_marked(sql), _storable(values)).rowcount

    def ask(self, questions: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """Return what each of several questions finds; they travel together."""
        with plain_errors(self._address), self._connection.pipeline():
            asked = [self._connection.execute(_marked(sql), _storable(values)) for sql, values in questions]
            return [cursor.fetchall() for cursor in asked]

    def execute_each(self, deeds: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Do each deed with each of its values; they travel together."""
        with plain_errors(self._address), self._connection.pipeline(), self._connection.cursor() as cursor:
            for sql, values in deeds:
                cursor.executemany(_marked(sql), map(_storable, values))

    def within(self, kind: Kind, fields: Sequence[str], spans: Sequence[Span]) -> list[tuple[Any, ...]]:
        """Return the stream and these fields of facts, in the order of their names."""
        names = ", ".join(fields)
        # OFFSET 0: span by span, by the index, whatever the server thinks of how many there are.
        sql = (
            f"SELECT spans.stream, {names} FROM unnest(%s::int[], %s::int8[], %s::int8[]) AS spans(stream, low, high) "
            f"CROSS JOIN LATERAL (SELECT {names} FROM {kind} WHERE {kind}.stream = spans.stream "
            "AND seq BETWEEN spans.low AND spans.high ORDER BY seq, copy OFFSET 0) AS found"
        )
        values = list(map(list, zip(*spans, strict=True)))
        with plain_errors(self._address):
            # Planned anew each time: a plan made while the table was small would read all of it for ever.
            return self._connection.execute(sql.encode(), values, prepare=False).fetchall()

    def words(self, texts: Sequence[str]) -> None:
        """Give words their numbers, if they have none; at once, so that two steps with new words never wait for each other."""
        sql = b"INSERT INTO words (text) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
        with plain_errors(self._address):
            self._at_once().execute(sql, [list(texts)])

    def load(self, kind: Kind, columns: Sequence[str], portions: Sequence[Lines]) -> None:
        """Write rows that are not here."""
        tables: dict[str, list[Iterable[Sequence[Any]]]] = {}
        for rows, times in portions:
            tables.setdefault(self._table(kind, times), []).append(rows)
        for table, parts in tables.items():
            with plain_errors(self._address), self._connection.cursor() as cursor:
                command = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
                with cursor.copy(command.encode()) as copy:
                    copy.set_types([_TYPES.get(name, "int4") for name in columns])
                    for row in chain.from_iterable(parts):
                        copy.write_row(row)

    def _table(self, kind: Kind, times: Sequence[int]) -> str:
        """Return where facts of these times belong, making what is not there."""
        if kind not in _PARTITIONED:
            return kind
        partitions = partitions_for(kind, (min(times), max(times)))
        if len(partitions) > 1:
            partitions = partitions_for(kind, times)
        self._make(kind, partitions)
        # One, nearly always: a device hands over within its month. The server need not look where each row belongs.
        return partitions[0].table if len(partitions) == 1 else kind

    def close(self) -> None:
        """Give the connection back."""
        self._close_beside()
        self._connections.give_back(self._connection)

    def _make(self, kind: Kind, partitions: Iterable[Partition]) -> None:
        """Make the partitions that are not there; at once, so that nobody waits for the end of this step."""
        for partition in partitions:
            with plain_errors(self._address):
                if partition not in self._connections.made and not is_there(self._connection, partition.table):
                    _attach(self._at_once(), kind, partition)
            self._connections.made.add(partition)

    def _at_once(self) -> Connection:
        """Return a second connection, whose deeds count at once."""
        if self._beside is None:
            self._beside = self._connections.open()
            # It need not wait for the disk: the step that needs its deeds ends later, and takes them along.
            self._beside.execute(b"SET synchronous_commit = off")
        return self._beside

    def _close_beside(self) -> None:
        if self._beside is not None:
            self._beside.close()
            self._beside = None


def _attach(connection: Connection, kind: Kind, partition: Partition) -> None:
    """Make a partition beside the table and attach it: nobody who reads or writes the table is in the way."""
    with connection.transaction():
        connection.execute(b"SELECT pg_advisory_xact_lock(%s)", [MAKING])
        if is_there(connection, partition.table):
            return
        name = partition.table
        connection.execute(f"CREATE TABLE {name} (LIKE {kind} INCLUDING ALL)".encode())
        connection.execute(f"CREATE UNIQUE INDEX {name}_name ON {name} (stream, seq, copy)".encode())
        connection.execute(f"ALTER TABLE {kind} ATTACH PARTITION {name} FOR VALUES {partition.bounds}".encode())


def _key(name: str) -> int:
    """Return the number under which PostgreSQL locks a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _storable(values: Sequence[Any]) -> list[Any]:
    """Return values that PostgreSQL takes: it knows no zero character, and somebody may ask for one."""
    return [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]


@lru_cache(maxsize=512)
def _marked(sql: str) -> bytes:
    """Return SQL with the marks that psycopg knows."""
    return sql.replace("%", "%%").replace("?", "%s").encode()
