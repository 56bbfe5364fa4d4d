"""The tables of a hub, written once for SQLite and PostgreSQL.

`copy` tells apart two contents under one name: they mean a cloned device, and both are kept. Audit rows
are only ever added. A device is its signing key; a stream is the name under which it numbers its facts;
`after` is the device that came after one whose identity was renewed. `learners` says in which streams a
pseudonym occurs, so that an erasure need not read everything. Wide columns come first: PostgreSQL fills up
to eight bytes between narrow ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

VERSION = 2

_COLUMNS = {
    "attempts": (
        "seq BIGINT NOT NULL, learner BIGINT NOT NULL, at BIGINT NOT NULL, stream INTEGER NOT NULL, "
        "copy INTEGER NOT NULL, lesson INTEGER NOT NULL, tenths INTEGER NOT NULL, hints SMALLINT NOT NULL, "
        "correct SMALLINT NOT NULL, item TEXT NOT NULL, given TEXT NOT NULL"
    ),
    "turns": (
        "seq BIGINT NOT NULL, learner BIGINT NOT NULL, at BIGINT NOT NULL, stream INTEGER NOT NULL, "
        "copy INTEGER NOT NULL, mode INTEGER NOT NULL, lesson INTEGER NOT NULL, question TEXT NOT NULL, "
        "text TEXT NOT NULL"
    ),
}

_NEW_IN_2 = """
CREATE TABLE people (
    id {number}, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, school INTEGER, salt TEXT NOT NULL,
    hash TEXT NOT NULL, made TEXT NOT NULL, revoked TEXT NOT NULL DEFAULT ''
);
CREATE TABLE sessions (hash TEXT PRIMARY KEY, person INTEGER NOT NULL, made TEXT NOT NULL, until TEXT NOT NULL);
CREATE TABLE rates (key TEXT NOT NULL, slot BIGINT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (key, slot));
CREATE TABLE learners (learner BIGINT NOT NULL, stream INTEGER NOT NULL, PRIMARY KEY (learner, stream)){bare};
"""

_TABLES = f"""
CREATE TABLE schools (id {{number}}, code TEXT NOT NULL UNIQUE);
CREATE TABLE tokens (hash TEXT PRIMARY KEY, school INTEGER NOT NULL, made TEXT NOT NULL, revoked TEXT NOT NULL DEFAULT '');
CREATE TABLE devices (
    id TEXT PRIMARY KEY, public BLOB NOT NULL, school INTEGER NOT NULL, recipient TEXT NOT NULL,
    stream TEXT NOT NULL, heard TEXT NOT NULL, versions TEXT NOT NULL, after TEXT NOT NULL DEFAULT '',
    revoked TEXT NOT NULL DEFAULT ''
){{bare}};
CREATE TABLE streams (
    id {{number}}, name TEXT NOT NULL UNIQUE, school INTEGER NOT NULL, cloned INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE writers (stream INTEGER NOT NULL, device TEXT NOT NULL, PRIMARY KEY (stream, device)){{bare}};
CREATE TABLE bundles (digest TEXT PRIMARY KEY, device TEXT NOT NULL, facts INTEGER NOT NULL, at TEXT NOT NULL){{bare}};
CREATE INDEX bundles_device ON bundles (device);
CREATE TABLE words (id {{number}}, text TEXT NOT NULL UNIQUE);
CREATE TABLE attempts ({_COLUMNS["attempts"]}{{facts}};
CREATE TABLE turns ({_COLUMNS["turns"]}{{facts}};
CREATE TABLE erased (
    seq BIGINT NOT NULL, learner BIGINT NOT NULL, at BIGINT NOT NULL, stream INTEGER NOT NULL, copy INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
){{bare}};
CREATE INDEX erased_learner ON erased (learner);
CREATE TABLE audit (
    id {{number}}, at TEXT NOT NULL, deed TEXT NOT NULL, file TEXT NOT NULL,
    device TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
);
{_NEW_IN_2}
"""

_SQLITE = """
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""

_FROM_1_TO_2 = f"""
ALTER TABLE devices ADD COLUMN revoked TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts RENAME COLUMN right TO correct;
{_NEW_IN_2}
INSERT INTO learners SELECT learner, stream FROM attempts UNION SELECT learner, stream FROM turns;
"""


def sqlite_tables(version: int) -> Iterator[str]:
    """Yield the statements that bring a file of this version (0: an empty one) to the newest."""
    import sqlite3

    pending = ""
    for line in _sqlite(_FROM_1_TO_2 if version else _TABLES + _SQLITE).splitlines(keepends=True):
        pending += line
        # A trigger has semicolons inside.
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _sqlite(script: str) -> str:
    bare = " WITHOUT ROWID"
    return script.format(number="INTEGER PRIMARY KEY", bare=bare, facts=f", PRIMARY KEY (stream, seq, copy)){bare}")
