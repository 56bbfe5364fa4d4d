"""Two hubs become one in what they know: a union, so it may be done in any order and again.

The other hub's file is only read. Twins (the same keys) and strangers are merged alike; a stranger's
devices keep handing over to it until they are enrolled here.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.hub.database import Database


@dataclass(frozen=True, slots=True)
class Joined:
    """What came from the other hub."""

    streams: int
    new: int
    bundles: int


def join(database: Database, other: Database, at: str) -> Joined:
    """Take everything `other` knows into `database`."""
    before = database.rows("SELECT count(*) FROM bundles")[0][0]
    with database.step():
        _devices(database, other)
        streams = new = 0
        for name, school, stream in other.streams():
            number = database.stream(name, database.school(school))
            _writers(database, other, name, number)
            new += database.add(stream, number)
            streams += 1
        rows = other.rows("SELECT * FROM bundles")
        database.connection.executemany("INSERT OR IGNORE INTO bundles VALUES (?, ?, ?, ?)", rows)
        bundles = database.rows("SELECT count(*) FROM bundles")[0][0] - before
        database.audit(
            at, "merge", outcome="merged", detail=f"{streams} streams, {new} new facts, {bundles} new bundles"
        )
    return Joined(streams, new, bundles)


def _devices(database: Database, other: Database) -> None:
    """The later word about a device counts; a token that one hub revoked is revoked in both."""
    schools = dict(other.rows("SELECT id, code FROM schools"))
    for code in schools.values():
        database.school(code)
    for token, school, made, revoked in other.rows("SELECT * FROM tokens"):
        database.connection.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET revoked = excluded.revoked "
            "WHERE revoked = ''",
            [token, database.school(schools[school]), made, revoked],
        )
    for device, public, school, *rest, after in other.rows("SELECT * FROM devices"):
        database.connection.execute(
            "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET school = excluded.school, "
            "recipient = excluded.recipient, stream = excluded.stream, heard = excluded.heard, "
            "versions = excluded.versions WHERE excluded.heard > heard",
            [device, public, database.school(schools[school]), *rest, after],
        )
        if after:
            database.connection.execute("UPDATE devices SET after = ? WHERE id = ?", [after, device])


def _writers(database: Database, other: Database, name: str, number: int) -> None:
    sql = "SELECT device FROM writers JOIN streams ON stream = id WHERE name = ?"
    rows = [(number, device) for (device,) in other.rows(sql, [name])]
    database.connection.executemany("INSERT OR IGNORE INTO writers VALUES (?, ?)", rows)
    if other.rows("SELECT 1 FROM streams WHERE name = ? AND cloned = 1", [name]):
        database.connection.execute("UPDATE streams SET cloned = 1 WHERE id = ?", [number])
