"""Keep what learners did, through any power cut.

Append-only: rows are never changed or removed, and the file itself refuses it. A method that
adds returns only after the disk has it. Safe to use from several threads and processes.
Marks nothing and chooses nothing: that is `grade` and `mastery`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from secrets import SystemRandom
from threading import RLock
from typing import TYPE_CHECKING, Any

from edge.errors import StoreError
from edge.learning import migrations
from edge.learning.attempt import Attempt, PastTurn
from edge.learning.learner import Learner, clean_name, new_id
from edge.learning.light import light_database
from edge.learning.mastery import LessonProgress, progress_of

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_SECONDS = 10.0
"""How long to wait for another Amauta that is writing."""

BUSY_PAUSE_SECONDS = 0.02

_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE")
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT", "SQLITE_ERROR")
_READ_ONLY = ("SQLITE_READONLY", "SQLITE_PERM")


class Store:
    """The append-only store of one device. Close it when done."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._lock = RLock()
        self._writer: Database | None = None
        self.device = ""

    @classmethod
    def open(cls, path: Path, random: Random | None = None) -> Store:
        """Open the store, making it at the first start; raise StoreError when that cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError("store-unwritable", path=path, reason=error.strerror or str(error)) from error
        with plain_errors(path):
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        store = cls(connection, path)
        try:
            with plain_errors(path):
                store._prepare(random or SystemRandom())
        except StoreError:
            connection.close()
            raise
        return store

    def _prepare(self, random: Random) -> None:
        mode = self._journal()
        # Some sticks and network drives cannot do WAL; EXTRA keeps their old journal as safe.
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        recorded = migrations.recorded(self._connection)
        if newer := [name for name in recorded if name not in migrations.NAMES]:
            raise StoreError("store-newer", path=self.path, step=newer[0])
        if recorded != migrations.NAMES:
            self._migrate(new_id(random))
        device = self._connection.execute("SELECT id FROM device ORDER BY rowid DESC").fetchone()
        if device is None:
            raise StoreError("store-broken", path=self.path, reason="no device id")
        self.device = device[0]

    def _journal(self) -> str:
        """Ask for WAL. SQLite does not wait by itself when another window is just asking too."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return str(self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                    raise
                time.sleep(BUSY_PAUSE_SECONDS)

    def _migrate(self, device: str) -> None:
        """Bring the file up to date, even when two Amautas start at the same moment."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if migrations.recorded(self._connection) != migrations.NAMES:
                migrations.apply(self._database(), device)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise

    def close(self) -> None:
        """Close the file; harmless when it is closed already."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def learners(self) -> list[Learner]:
        """Return every learner under the last name given, in order of name."""
        rows = self._rows("SELECT id, name, lang FROM learners ORDER BY rowid")
        latest = {row["id"]: Learner(row["id"], row["name"], row["lang"]) for row in rows}
        return sorted(latest.values(), key=lambda learner: (learner.name.casefold(), learner.id))

    def add_learner(self, name: str, lang: str, id: str) -> Learner:  # noqa: A002
        """Add a learner, or give the one called `id` another name or language."""
        learner = Learner(id, clean_name(name), lang)
        self._append("learners", {"id": id, "name": learner.name, "lang": lang})
        return learner

    def append_attempt(
        self,
        *,
        learner: str,
        lesson: str,
        item: str,
        given: str,
        right: bool,
        hints: int,
        seconds: float,
        at: str,
        option: str = "",
    ) -> Attempt:
        """Keep one answer; when this returns, a power cut can no longer take it."""
        facts: dict[str, str | int | float] = {
            "learner": learner,
            "lesson": lesson,
            "item": item,
            "given": _storable(given),
            "right": int(right),
            "hints": hints,
            "seconds": float(seconds),
            "at": at,
            "option": option,
        }
        return _attempt({"device": self.device, "seq": self._append("attempts", facts), **facts})

    def append_turn(self, *, learner: str, question: str, mode: str, text: str, lesson: str, at: str) -> PastTurn:
        """Keep one question and its answer; `learner` is empty when nobody said who asked.

        What is personal in the question, and in what a model made of it, is not kept.
        """
        from edge.tutor.personal import redacted

        question, text = redacted(question), redacted(text) if mode == "model" else text
        facts = {
            "learner": learner,
            "question": _storable(question),
            "mode": mode,
            "text": _storable(text),
            "lesson": lesson,
            "at": at,
        }
        return PastTurn(device=self.device, seq=self._append("turns", facts), **facts)

    def attempts(self, learner: str | None = None) -> list[Attempt]:
        """Return the attempts of one learner, or of all, oldest first."""
        if learner is None:
            return [_attempt(row) for row in self._rows("SELECT * FROM attempts ORDER BY rowid")]
        rows = self._rows("SELECT * FROM attempts WHERE learner = ? ORDER BY rowid", [learner])
        return [_attempt(row) for row in rows]

    def attempt_count(self) -> int:
        """Return how many attempts there are."""
        return int(self._rows("SELECT count(*) AS many FROM attempts")[0]["many"])

    def turns(self, learner: str, limit: int = 20) -> list[PastTurn]:
        """Return the last `limit` turns of one learner, newest first."""
        rows = self._rows("SELECT * FROM turns WHERE learner = ? ORDER BY rowid DESC LIMIT ?", [learner, limit])
        return [PastTurn(**row) for row in rows]

    def progress(self, learner: str) -> list[LessonProgress]:
        """Return how far one learner is in each lesson she tried, the latest first."""
        return progress_of(self.attempts(learner))

    def _rows(self, sql: str, values: Sequence[str | int] = ()) -> list[dict[str, Any]]:
        with self._lock, plain_errors(self.path):
            cursor = self._connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _append(self, table: str, facts: Mapping[str, str | int | float]) -> int:
        """Add one row under this device's next number and return that number."""
        with self._lock, plain_errors(self.path):
            database = self._database()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                seq = last_number(self._connection, table, self.device) + 1
                database.table(table).insert({"device": self.device, "seq": seq, **facts})
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        return seq

    def _database(self) -> Database:
        """Return sqlite-utils over our connection; its import takes longer than opening the file."""
        if self._writer is None:
            self._writer = light_database(self._connection)
        return self._writer


def last_number(connection: sqlite3.Connection, table: str, device: str) -> int:
    """Return the last number a device used in a table, also when its row was erased since."""
    kept = connection.execute(f"SELECT max(seq) FROM {table} WHERE device = ?", [device]).fetchone()[0]
    gone = connection.execute(f"SELECT max({table}_last) FROM erased WHERE device = ?", [device]).fetchone()[0]
    return max(kept or 0, gone or 0)


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(**{**row, "right": bool(row["right"])})


def _storable(text: str) -> str:
    """Replace halves of characters, which a terminal may send and SQLite cannot keep."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a teacher can act on."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name in _FULL:
            key = "store-full"
        elif name in _BROKEN:
            key = "store-broken"
        elif name.startswith(_READ_ONLY):
            key = "store-read-only"
        elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            key = "store-busy"
        else:
            key = "store-unwritable"
        raise StoreError(key, path=path, reason=str(error)) from error
