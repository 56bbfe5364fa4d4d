"""Everything a hub received, in one SQLite file.

Adding is a set union (`edge.sync.merge` says what that means), so every import may be repeated. One bundle
is one step: after a power cut it is here whole or not at all. Whose bundle may come in belongs to `receive`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.hub import schema
from edge.hub.errors import HubError, plain_errors
from edge.sync.facts import KINDS, Answer, Erasure, Kind, Stream, Talk

BUSY_SECONDS = 30.0
_WORDS: dict[Kind, tuple[str, ...]] = {"attempts": ("lesson",), "turns": ("mode", "lesson"), "erased": ()}
_ROWS: dict[Kind, type[Answer] | type[Talk] | type[Erasure]] = {"attempts": Answer, "turns": Talk, "erased": Erasure}


class Database:
    """The open file. Close it when done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._words: dict[str, int] = {}
        with plain_errors(path):
            self.connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            mode = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
            # What a tombstone removes must not stay readable in the file.
            self.connection.execute("PRAGMA secure_delete = ON")
            # A bundle fits in memory: what does not is written twice.
            self.connection.execute("PRAGMA cache_size = -32768")
            with self.step():
                version = self.connection.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    for statement in _statements(schema.TABLES):
                        self.connection.execute(statement)
                    self.connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        if version > schema.VERSION:
            self.connection.close()
            raise HubError("hub-newer", path=path)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Everything inside happens, or nothing does."""
        with plain_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                self._words.clear()
                raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a question finds."""
        with plain_errors(self.path):
            return self.connection.execute(sql, values).fetchall()

    def school(self, code: str) -> int:
        """Return the number of a school, giving it one if it has none; inside a step."""
        self.connection.execute("INSERT OR IGNORE INTO schools (code) VALUES (?)", [code])
        return int(self.rows("SELECT id FROM schools WHERE code = ?", [code])[0][0])

    def audit(self, at: str, deed: str, *, file: str = "", device: str = "", outcome: str, detail: str = "") -> None:
        """Write down what was done or refused; inside a step."""
        self.connection.execute(
            "INSERT INTO audit (at, deed, file, device, outcome, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [at, deed, file, device, outcome, detail],
        )

    def stream(self, name: str, school: int) -> int:
        """Return the number of a stream; the school that brings it first keeps it. Inside a step."""
        self.connection.execute("INSERT OR IGNORE INTO streams (name, school) VALUES (?, ?)", [name, school])
        return int(self.rows("SELECT id FROM streams WHERE name = ?", [name])[0][0])

    def add(self, stream: Stream, number: int) -> int:
        """Unite a stream with what is here under `number`; return how many facts are new. Inside a step."""
        new = self._add_rows("erased", number, stream.erased, frozenset())
        for erased in stream.erased:
            for kind in ("attempts", "turns"):
                self.connection.execute(f"DELETE FROM {kind} WHERE learner = ?", [erased.learner])
        learners = {row.learner for row in stream.attempts} | {row.learner for row in stream.turns}
        gone = frozenset(who for who in learners if self.rows("SELECT 1 FROM erased WHERE learner = ?", [who]))
        new += self._add_rows("attempts", number, stream.attempts, gone)
        return new + self._add_rows("turns", number, stream.turns, gone)

    def _add_rows(self, kind: Kind, number: int, rows: Sequence[Any], gone: frozenset[int]) -> int:
        if gone:
            rows = [row for row in rows if row.learner not in gone]
        if not rows:
            return 0
        places = [_ROWS[kind]._fields.index(name) for name in _WORDS[kind]]
        marks = ", ".join("?" * len(_ROWS[kind]._fields))
        statement = f"INSERT OR IGNORE INTO {kind} VALUES ({number}, ?, 0, {marks[3:]})"
        done = self.connection.executemany(statement, self._numbered(rows, places))
        if done.rowcount == len(rows):
            return len(rows)
        return done.rowcount + self._add_copies(kind, number, rows, places)

    def _add_copies(self, kind: Kind, number: int, rows: Sequence[Any], places: list[int]) -> int:
        """Keep what has another content under a name that was here already."""
        first, last = rows[0][0], rows[-1][0]
        sql = f"SELECT * FROM {kind} WHERE stream = ? AND seq BETWEEN ? AND ?"
        here: dict[int, set[tuple[Any, ...]]] = {}
        for _, seq, _, *rest in self.rows(sql, [number, first, last]):
            here.setdefault(seq, set()).add(tuple(rest))
        copies = 0
        for seq, *rest in self._numbered(rows, places):
            if tuple(rest) not in here[seq]:
                marks = ", ".join("?" * len(rest))
                values = [number, seq, len(here[seq]), *rest]
                self.connection.execute(f"INSERT INTO {kind} VALUES (?, ?, ?, {marks})", values)
                here[seq].add(tuple(rest))
                copies += 1
        if copies:
            self.connection.execute("UPDATE streams SET cloned = 1 WHERE id = ?", [number])
        return copies

    def _numbered(self, rows: Sequence[Any], places: list[int]) -> Iterator[tuple[Any, ...]]:
        """Yield rows with numbers in the place of words that repeat."""
        if places == [_ROWS["attempts"]._fields.index("lesson")]:
            # The one hot path: a school year is a million of these.
            word = {lesson: self._word(lesson) for lesson in {row[2] for row in rows}}
            return ((s, who, word[les], it, gv, r, h, t, at) for s, who, les, it, gv, r, h, t, at in rows)
        return (tuple(self._word(v) if i in places else v for i, v in enumerate(row)) for row in rows)

    def _word(self, text: str) -> int:
        if (found := self._words.get(text)) is None:
            self.connection.execute("INSERT OR IGNORE INTO words (text) VALUES (?)", [text])
            found = self._words[text] = int(self.rows("SELECT id FROM words WHERE text = ?", [text])[0][0])
        return found

    def streams(self) -> Iterator[tuple[str, str, Stream]]:
        """Yield everything as streams: (name, school, facts); what a twin or a test compares."""
        words = dict(self.rows("SELECT id, text FROM words"))
        listed = "SELECT streams.id, name, code FROM streams JOIN schools ON school = schools.id ORDER BY name"
        for number, name, school in self.rows(listed):
            facts: dict[str, tuple[Any, ...]] = {}
            for kind in KINDS:
                kept = self.rows(f"SELECT * FROM {kind} WHERE stream = ? ORDER BY seq, copy", [number])
                places = [_ROWS[kind]._fields.index(each) for each in _WORDS[kind]]
                plain = ((seq, *rest) for _, seq, _, *rest in kept)
                facts[kind] = tuple(
                    _ROWS[kind]._make(words[v] if i in places else v for i, v in enumerate(row)) for row in plain
                )
            yield name, school, Stream(name, **facts)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; a trigger has semicolons inside."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
