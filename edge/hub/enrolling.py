"""Let a school's devices in, and shut the door again."""

from __future__ import annotations

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.receive import token_hash
from edge.sync.enrolment import SCHOOL_CODE, Enrolment


def enrol(place: Place, database: Database, school: str, token: bytes, at: str, *, renew: bool) -> Enrolment:
    """Return what the devices of a school need; with `renew`, no earlier enrolment of it lets a new device in.

    Devices that are known already stay so. `token` is random and new.
    """
    if not SCHOOL_CODE.fullmatch(school):
        raise HubError("school-code", school=school[:60])
    with database.step():
        number = database.school(school)
        if renew:
            sql = "UPDATE tokens SET revoked = ? WHERE school = ? AND revoked = ''"
            database.execute(sql, [at, number])
        sql = "INSERT INTO tokens (hash, school, made) VALUES (?, ?, ?)"
        database.execute(sql, [token_hash(token), number, at])
        database.audit(at, "enrol", outcome="renewed" if renew else "enrolled", detail=school)
    return place.enrolment(school, token)
