"""Who is logged in: a random number in a cookie, of which the database keeps only the hash, until a fixed hour."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from edge.hub.database import Database
from edge.hub.serve.people import Person
from edge.learning.attempt import stamp

LASTS = timedelta(hours=10)
"""A working day."""


def _hash(session: str) -> str:
    return hashlib.sha256(b"amauta-session\0" + session.encode("utf-8", "surrogatepass")).hexdigest()


def begin(database: Database, person: int, session: str, now: datetime) -> None:
    """Log somebody in under a number that was never used; inside a step."""
    database.execute("DELETE FROM sessions WHERE until < ?", [stamp(now)])
    values = [_hash(session), person, stamp(now), stamp(now + LASTS)]
    database.execute("INSERT INTO sessions (hash, person, made, until) VALUES (?, ?, ?, ?)", values)


def person_of(database: Database, session: str, now: datetime) -> Person | None:
    """Return who this session belongs to; None when it is over, unknown, or of somebody who was revoked."""
    sql = (
        "SELECT name, role, coalesce(code, '') FROM sessions JOIN people ON people.id = person "
        "LEFT JOIN schools ON schools.id = school WHERE sessions.hash = ? AND until > ? AND revoked = ''"
    )
    found = database.rows(sql, [_hash(session), stamp(now)])
    return Person(*found[0]) if found else None


def end(database: Database, session: str) -> None:
    """Log out; inside a step."""
    database.execute("DELETE FROM sessions WHERE hash = ?", [_hash(session)])
