"""The database of a hub in one SQLite file: nothing to install, one machine.

Only this module knows that it is SQLite. What belongs into the tables is decided in `database`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.hub import schema
from edge.hub.errors import HubError
from edge.hub.union import Lines, Span
from edge.sync.facts import Kind

BUSY_SECONDS = 30.0
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_SHMSIZE")
_LITTLE = 1 << 20
"""Bytes left: at any other failure of the disk it is full, too, and not broken."""


class SQLite:
    """The open file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with plain_errors(path):
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with plain_errors(self.path):
            mode = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
            # What a tombstone removes must not stay readable in the file.
            self._connection.execute("PRAGMA secure_delete = ON")
            # A bundle fits in memory: what does not is written twice.
            self._connection.execute("PRAGMA cache_size = -32768")
        if self._version() == schema.VERSION:
            return
        self.begin((), alone=False)
        version = self._version()
        if version > schema.VERSION:
            raise HubError("hub-newer", path=self.path)
        if version < schema.VERSION:
            for statement in schema.sqlite_tables(version):
                self.execute(statement)
            self.execute(f"PRAGMA user_version = {schema.VERSION}")
        self.commit()

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0][0])

    def begin(self, names: Sequence[str], *, alone: bool) -> None:
        """Begin a step; here nobody else writes meanwhile, whatever it is called."""
        self.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        """Everything read until the step ends is as of one moment."""
        self.execute("BEGIN")

    def commit(self) -> None:
        """Keep for good what was done since `begin`."""
        self.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo what was done since `begin`."""
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a question finds."""
        with plain_errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Do it; return how many rows it concerned."""
        with plain_errors(self.path):
            return self._connection.execute(sql, values).rowcount

    def ask(self, questions: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """Return what each of several questions finds."""
        return [self.rows(sql, values) for sql, values in questions]

    def execute_each(self, deeds: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Do each deed with each of its values."""
        with plain_errors(self.path):
            for sql, values in deeds:
                self._connection.executemany(sql, values)

    def within(self, kind: Kind, fields: Sequence[str], spans: Sequence[Span]) -> list[tuple[Any, ...]]:
        """Return the stream and these fields of facts, in the order of their names."""
        names = ", ".join(fields)
        sql = f"SELECT stream, {names} FROM {kind} WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq, copy"
        return [row for span in spans for row in self.rows(sql, span)]

    def words(self, texts: Sequence[str]) -> None:
        """Give words their numbers, if they have none."""
        for text in texts:
            self.execute("INSERT INTO words (text) VALUES (?) ON CONFLICT DO NOTHING", [text])

    def load(self, kind: Kind, columns: Sequence[str], portions: Sequence[Lines]) -> None:
        """Write rows that are not here."""
        sql = f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        with plain_errors(self.path):
            for rows, _ in portions:
                self._connection.executemany(sql, rows)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person at the hub can act on."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in _FULL or (name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _is_full(path)):
            raise HubError("hub-full", path=path) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise HubError("hub-busy", path=path) from error
        raise HubError("hub-broken", path=path, reason=str(error)[:100]) from error


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False
