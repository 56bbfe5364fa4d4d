"""The tables of a hub, for SQLite.

`copy` tells apart two contents under one name: they mean a cloned device, and both are kept. Audit rows
are only ever added. A device is its signing key; a stream is the name under which it numbers its facts;
`after` is the device that came after one whose identity was renewed.
"""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE schools (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE tokens (hash TEXT PRIMARY KEY, school INTEGER NOT NULL, made TEXT NOT NULL, revoked TEXT NOT NULL DEFAULT '');
CREATE TABLE devices (
    id TEXT PRIMARY KEY, public BLOB NOT NULL, school INTEGER NOT NULL, recipient TEXT NOT NULL,
    stream TEXT NOT NULL, heard TEXT NOT NULL, versions TEXT NOT NULL, after TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, school INTEGER NOT NULL, cloned INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE writers (stream INTEGER NOT NULL, device TEXT NOT NULL, PRIMARY KEY (stream, device)) WITHOUT ROWID;
CREATE TABLE bundles (digest TEXT PRIMARY KEY, device TEXT NOT NULL, facts INTEGER NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX bundles_device ON bundles (device);
CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE attempts (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL,
    lesson INTEGER NOT NULL, item TEXT NOT NULL, given TEXT NOT NULL, right INTEGER NOT NULL,
    hints INTEGER NOT NULL, tenths INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE TABLE turns (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL,
    question TEXT NOT NULL, mode INTEGER NOT NULL, text TEXT NOT NULL, lesson INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE TABLE erased (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE INDEX erased_learner ON erased (learner);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, deed TEXT NOT NULL, file TEXT NOT NULL,
    device TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""
