"""How the store's tables came to be, step by step.

A migration that was released is never edited: the next change is a new one with the next
number. Needs `sqlite_utils`, which is slow to import: `store` asks `is_current` first.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

NAMES = ("0001_attempts_turns_learners",)
"""Every migration, in order."""

_SET = "amauta-store"
_APPEND_ONLY = ("device", "learners", "attempts", "turns")


def recorded(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the migrations this file has been through."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if known is None:
        return ()
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (_SET,))
    return tuple(name for (name,) in rows)


def apply(db: Database, device: str) -> None:
    """Bring the file up to date; `device` becomes its name if it has none yet."""
    from sqlite_utils import Migrations

    steps = Migrations(_SET)

    @steps(name=NAMES[0])
    def _(db: Database) -> None:
        _first(db, device)

    steps.apply(db)


def _first(db: Database, device: str) -> None:
    db.table("device").create({"id": str}, pk="id")
    db.table("learners").create({"device": str, "seq": int, "id": str, "name": str, "lang": str}, pk=("device", "seq"))
    db.table("attempts").create(
        {
            "device": str,
            "seq": int,
            "learner": str,
            "lesson": str,
            "item": str,
            "given": str,
            "right": int,
            "hints": int,
            "seconds": float,
            "at": str,
        },
        pk=("device", "seq"),
    )
    db.table("attempts").create_index(["learner", "lesson"])
    db.table("turns").create(
        {
            "device": str,
            "seq": int,
            "learner": str,
            "question": str,
            "mode": str,
            "text": str,
            "lesson": str,
            "at": str,
        },
        pk=("device", "seq"),
    )
    db.table("turns").create_index(["learner"])
    db.table("device").insert({"id": device})
    for table in _APPEND_ONLY:
        for deed in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )
    for table in ("learners", "attempts", "turns"):
        # INSERT OR REPLACE deletes without asking the trigger above.
        db.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS "
            f"(SELECT 1 FROM {table} WHERE device = NEW.device AND seq = NEW.seq) "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )
