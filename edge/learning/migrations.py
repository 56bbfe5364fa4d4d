"""How the store's tables came to be, step by step.

A migration that was released is never edited: the next change is a new one with the next
number. Needs `sqlite_utils`, which is slow to import: `store` asks `is_current` first.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

NAMES = ("0001_attempts_turns_learners", "0002_erasing", "0003_handing_over", "0004_options")
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

    @steps(name=NAMES[1])
    def _(db: Database) -> None:
        _erasing(db)

    @steps(name=NAMES[2])
    def _(db: Database) -> None:
        _handing_over(db)

    @steps(name=NAMES[3])
    def _(db: Database) -> None:
        _options(db)

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
        _never_change(db, table, "UPDATE", "DELETE")
    for table in ("learners", "attempts", "turns"):
        # INSERT OR REPLACE deletes without asking the trigger above.
        db.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS "
            f"(SELECT 1 FROM {table} WHERE device = NEW.device AND seq = NEW.seq) "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )


def _erasing(db: Database) -> None:
    """Let go of the rows of a learner who is to be forgotten, and of no others; refuse her rows from then on.

    An erasure remembers the last numbers in use, so that none is ever used for another content.
    """
    columns = {"device": str, "seq": int, "learner": str, "at": str}
    last = {"attempts_last": int, "turns_last": int, "learners_last": int}
    db.table("erased").create(columns | last, pk=("device", "seq"))
    db.table("erased").create_index(["learner"])
    _never_change(db, "erased", "UPDATE", "DELETE")
    for table, column in (("learners", "id"), ("attempts", "learner"), ("turns", "learner")):
        db.execute(f"DROP TRIGGER {table}_no_delete")
        db.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS "
            f"(SELECT 1 FROM erased WHERE learner = OLD.{column}) BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )
        db.execute(
            f"CREATE TRIGGER {table}_no_erased BEFORE INSERT ON {table} WHEN EXISTS "
            f"(SELECT 1 FROM erased WHERE learner = NEW.{column}) BEGIN SELECT RAISE(ABORT, 'erased'); END"
        )


def _handing_over(db: Database) -> None:
    """Remember what was put into which bundle, which lies whole on a stick, and what a hub acknowledged."""
    db.table("bundles").create({"digest": str, "hub": str, "facts": int, "at": str}, pk="digest")
    part = {"digest": str, "kind": str, "device": str, "first": int, "last": int}
    db.table("bundle_parts").create(part, pk=("digest", "kind", "device", "first"))
    db.table("deliveries").create({"digest": str, "name": str, "at": str}, pk=("digest", "name"))
    db.table("acks").create({"digest": str, "at": str}, pk="digest")
    for table in ("bundles", "bundle_parts", "deliveries", "acks"):
        _never_change(db, table, "UPDATE", "DELETE")


def _options(db: Database) -> None:
    """Remember which option was chosen by its letter: its text may be too long to leave the school."""
    db.execute("ALTER TABLE attempts ADD COLUMN option TEXT NOT NULL DEFAULT ''")


def _never_change(db: Database, table: str, *deeds: str) -> None:
    for deed in deeds:
        db.execute(
            f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )
