"""Let a school's devices in, and shut the door again."""

from __future__ import annotations

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.rights import token_hash
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


def school_of(database: Database, device: str) -> str:
    """Return the school of a device that may deliver; raise HubError for one that is unknown or revoked."""
    sql = "SELECT code, revoked FROM devices JOIN schools ON school = schools.id WHERE devices.id = ?"
    for code, revoked in database.rows(sql, [device]):
        if not revoked:
            return str(code)
        raise HubError("device-out", device=device, day=revoked[:10])
    raise HubError("device-absent", device=ascii(device)[1:-1][:40])


def revoke(database: Database, device: str, at: str) -> str:
    """Take nothing more from a lost or stolen device; return its school, whose enrolments let nobody new in from now on.

    The enrolment lies on the device: whoever holds it could come in under another name. Known devices stay known.
    """
    with database.step(names=[device]):
        school = school_of(database, device)
        database.execute("UPDATE devices SET revoked = ? WHERE id = ?", [at, device])
        sql = "UPDATE tokens SET revoked = ? WHERE school = ? AND revoked = ''"
        ended = database.execute(sql, [at, database.school(school)])
        detail = f"{school}, {ended} enrolments ended"
        database.audit(at, "revoke", device=device, outcome="revoked", detail=detail)
    return school
