"""Two hubs become one in what they know: a union, so it may be done in any order and again.

The other hub's database is only read. Twins (the same keys) and strangers are merged alike; a stranger's
devices keep handing over to it until they are enrolled here. Each kind of database takes in the other, so
this is also the way from SQLite to PostgreSQL. People who may log in and the audit stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge.hub.database import Database
from edge.hub.union import Portion, unite
from edge.sync.facts import Stream

_AT_ONCE = 50_000
"""Facts in one step: a merge cut off is gone on with by the next, and other workers get their turn."""

_BUNDLES_AT_ONCE = 10_000
_DEVICES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Joined:
    """What came from the other hub."""

    streams: int
    new: int
    bundles: int


def join(database: Database, other: Database, at: str) -> Joined:
    """Take everything `other` knows into `database`."""
    streams = new = 0
    with other.still():
        _devices(database, other)
        for portion in _portions(other.streams()):
            with database.step([stream for _, _, stream in portion]):
                numbered = [
                    Portion(stream, database.stream(name, database.school(school))) for name, school, stream in portion
                ]
                for each in numbered:
                    _writers(database, other, each.stream.device, each.number)
                unite(database, numbered)
            new += sum(each.new for each in numbered)
            streams += len(portion)
        # Last: a bundle that is listed will be acknowledged.
        bundles = _bundles(database, other)
    with database.step():
        detail = f"{streams} streams, {new} new facts, {bundles} new bundles"
        database.audit(at, "merge", outcome="merged", detail=detail)
    return Joined(streams, new, bundles)


def _portions(streams: Iterator[tuple[str, str, Stream]]) -> Iterator[list[tuple[str, str, Stream]]]:
    portion: list[tuple[str, str, Stream]] = []
    for found in streams:
        portion.append(found)
        if sum(stream.count() for _, _, stream in portion) >= _AT_ONCE or len(portion) >= 100:
            yield portion
            portion = []
    if portion:
        yield portion


def _devices(database: Database, other: Database) -> None:
    """The later word about a device counts; what one hub revoked is revoked in both."""
    schools = dict(other.rows("SELECT id, code FROM schools ORDER BY code"))
    with database.step(alone=True):
        for code in schools.values():
            database.school(code)
        for token, school, made, revoked in other.rows("SELECT hash, school, made, revoked FROM tokens"):
            database.execute(
                "INSERT INTO tokens (hash, school, made, revoked) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (hash) DO UPDATE SET revoked = excluded.revoked WHERE tokens.revoked = ''",
                [token, database.school(schools[school]), made, revoked],
            )
    listed = other.rows("SELECT id, public, school, recipient, stream, heard, versions, after, revoked FROM devices")
    for begin in range(0, len(listed), _DEVICES_AT_ONCE):
        with database.step(alone=True):
            for device, public, school, *rest in listed[begin : begin + _DEVICES_AT_ONCE]:
                _device(database, device, public, database.school(schools[school]), *rest)


def _device(database: Database, device: str, public: bytes, school: int, *rest: str) -> None:
    *later, after, revoked = rest
    database.execute(
        "INSERT INTO devices (id, public, school, recipient, stream, heard, versions) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET school = excluded.school, recipient = excluded.recipient, "
        "stream = excluded.stream, heard = excluded.heard, versions = excluded.versions "
        "WHERE excluded.heard > devices.heard",
        [device, public, school, *later],
    )
    if after:
        database.execute("UPDATE devices SET after = ? WHERE id = ?", [after, device])
    if revoked:
        database.execute("UPDATE devices SET revoked = ? WHERE id = ? AND revoked = ''", [revoked, device])


def _writers(database: Database, other: Database, name: str, number: int) -> None:
    sql = "SELECT device, cloned FROM streams LEFT JOIN writers ON writers.stream = streams.id WHERE name = ?"
    for device, cloned in other.rows(sql, [name]):
        if device is not None:
            database.execute(
                "INSERT INTO writers (stream, device) VALUES (?, ?) ON CONFLICT DO NOTHING", [number, device]
            )
        if cloned:
            database.execute("UPDATE streams SET cloned = 1 WHERE id = ?", [number])


def _bundles(database: Database, other: Database) -> int:
    """Take over which bundles are here for good; return how many are new."""
    new, last = 0, ""
    sql = "SELECT digest, device, facts, at FROM bundles WHERE digest > ? ORDER BY digest LIMIT ?"
    insert = "INSERT INTO bundles (digest, device, facts, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    while rows := other.rows(sql, [last, _BUNDLES_AT_ONCE]):
        with database.step():
            new += sum(database.execute(insert, row) for row in rows)
        last = rows[-1][0]
    return new
