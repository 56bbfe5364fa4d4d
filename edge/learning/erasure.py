"""Forget one learner completely, or give out everything about her.

The store is append-only; the one way to take rows out is to write first, in the same step, that this
learner is erased. That row stays, travels to the hub, and keeps her rows from coming back. It holds her
random id and no name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.learning.store import BUSY_SECONDS, Store, last_number, plain_errors

_ROWS = {"learners": "id", "attempts": "learner", "turns": "learner"}
"""Where she is, and the column that says so."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows there were."""

    attempts: int
    turns: int


def everything(path: Path, learner: str) -> dict[str, Any]:
    """Return every row about a learner, table by table."""
    with _connected(path) as connection:
        connection.row_factory = sqlite3.Row
        found = {}
        for table, column in _ROWS.items():
            rows = connection.execute(f"SELECT * FROM {table} WHERE {column} = ? ORDER BY rowid", [learner])
            found[table] = [dict(row) for row in rows]
        return found


def erase(path: Path, learner: str, at: str) -> Forgotten:
    """Delete every row about a learner for good; a second time it changes nothing."""
    with Store.open(path) as store:
        device = store.device
    with _connected(path) as connection:
        # Overwrites what is deleted; without it the text stays readable in the file.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        known = connection.execute("SELECT 1 FROM erased WHERE learner = ?", [learner]).fetchone()
        if known is None:
            last = [last_number(connection, table, device) for table in ("attempts", "turns", "learners")]
            seq = connection.execute("SELECT max(seq) FROM erased WHERE device = ?", [device]).fetchone()[0] or 0
            connection.execute("INSERT INTO erased VALUES (?, ?, ?, ?, ?, ?, ?)", [device, seq + 1, learner, at, *last])
        gone = {
            table: connection.execute(f"DELETE FROM {table} WHERE {column} = ?", [learner]).rowcount
            for table, column in _ROWS.items()
        }
        connection.execute("COMMIT")
        # The journal holds the old pages until it is emptied.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Forgotten(gone["attempts"], gone["turns"])


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as it is; one that is not closed in peace is rolled back."""
    with plain_errors(path), closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = EXTRA")
        yield connection
