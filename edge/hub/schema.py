"""The tables of a hub, written once for SQLite and PostgreSQL.

`copy` tells apart two contents under one name: they mean a cloned device, and both are kept. Audit rows
are only ever added. A device is its signing key; a stream is the name under which it numbers its facts;
`after` is the device that came after one whose identity was renewed. `learners` says in which streams a
pseudonym occurs, so that an erasure need not read everything. `sums_...` hold what reports read, worked out from the
attempts of a school and month (`edge.hub.reports.sums`); `stale` says which are to be worked out again, all of a
school's where its month is ALL. Wide columns come first: PostgreSQL fills up to eight bytes between narrow ones.
"""

from __future__ import annotations

from collections.abc import Iterator

VERSION = 3
ALL = -1
"""In `stale`, instead of a month: every one."""

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

_NEW_IN_3 = """
CREATE TABLE stale (id {number}, school INTEGER NOT NULL, month INTEGER NOT NULL);
CREATE INDEX stale_school ON stale (school);
CREATE TABLE sums_state (version BIGINT NOT NULL);
INSERT INTO sums_state (version) VALUES (0);
CREATE TABLE sums_blocks (
    attempts BIGINT NOT NULL, judged BIGINT NOT NULL, correct BIGINT NOT NULL, school INTEGER NOT NULL,
    month INTEGER NOT NULL, learners INTEGER NOT NULL, PRIMARY KEY (school, month)
){bare};
CREATE TABLE sums_groups (
    attempts BIGINT NOT NULL, judged BIGINT NOT NULL, correct BIGINT NOT NULL, school INTEGER NOT NULL,
    month INTEGER NOT NULL, lesson INTEGER NOT NULL, learners INTEGER NOT NULL, PRIMARY KEY (school, lesson, month)
){bare};
CREATE TABLE sums_few (
    learner BIGINT NOT NULL, attempts BIGINT NOT NULL, correct BIGINT NOT NULL, school INTEGER NOT NULL,
    month INTEGER NOT NULL, lesson INTEGER NOT NULL, PRIMARY KEY (school, month, lesson, learner)
){bare};
CREATE INDEX sums_few_month ON sums_few (month);
CREATE TABLE sums_mistakes (
    school INTEGER NOT NULL, month INTEGER NOT NULL, lesson INTEGER NOT NULL, learners INTEGER NOT NULL,
    item TEXT NOT NULL, which TEXT NOT NULL, PRIMARY KEY (school, lesson, item, which, month)
){bare};
CREATE TABLE sums_totals (
    shown BIGINT NOT NULL, few BIGINT NOT NULL, schools INTEGER NOT NULL, few_schools INTEGER NOT NULL,
    month INTEGER NOT NULL, lesson INTEGER NOT NULL, item TEXT NOT NULL, which TEXT NOT NULL,
    PRIMARY KEY (month, lesson, item, which)
){bare};
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
{_NEW_IN_3}
"""

_SQLITE = """
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""

_POSTGRES = """
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TABLE amauta (version INTEGER NOT NULL, hub TEXT NOT NULL);
"""
"""`amauta` says whose tables these are."""

_FROM_1_TO_2 = f"""
ALTER TABLE devices ADD COLUMN revoked TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts RENAME COLUMN right TO correct;
{_NEW_IN_2}
INSERT INTO learners SELECT learner, stream FROM attempts UNION SELECT learner, stream FROM turns;
"""

_FROM_2_TO_3 = f"""
{_NEW_IN_3}
INSERT INTO stale (school, month) SELECT id, {ALL} FROM schools;
"""
"""The sums are filled by whoever asks for a report first: a few schools at a time, and gone on with when cut off."""


def sqlite_tables(version: int) -> Iterator[str]:
    """Yield the statements that bring a file of this version (0: an empty one) to the newest."""
    import sqlite3

    pending = ""
    script = "".join((_FROM_1_TO_2, _FROM_2_TO_3)[version - 1 :]) if version else _TABLES + _SQLITE
    for line in _sqlite(script).splitlines(keepends=True):
        pending += line
        # A trigger has semicolons inside.
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _sqlite(script: str) -> str:
    bare = " WITHOUT ROWID"
    return script.format(number="INTEGER PRIMARY KEY", bare=bare, facts=f", PRIMARY KEY (stream, seq, copy)){bare}")


def postgres_tables() -> str:
    """Return the script that makes the tables of the newest version; text sorts as in SQLite, by bytes.

    A table of facts has no index of its own: each of its partitions has one.
    """
    return _postgres(_TABLES + _POSTGRES)


def postgres_changes(version: int) -> str:
    """Return the script that brings tables of this version to the newest; 2 was PostgreSQL's first."""
    return _postgres("".join((_FROM_2_TO_3,)[version - 2 :]))


def _postgres(script: str) -> str:
    number = "INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
    made = script.format(number=number, bare="", facts=") PARTITION BY RANGE (at)")
    return made.replace(" TEXT ", ' TEXT COLLATE "C" ').replace(" BLOB ", " BYTEA ")
