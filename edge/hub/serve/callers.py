"""Which device is asking: one the hub knows, by its key, or a new one, by the token of its school.

Who is not let in is written down, but only so often: a flood must not fill the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request

from edge.hub.database import Database
from edge.hub.rights import token_hash
from edge.hub.serve import limits
from edge.hub.serve.render import Status
from edge.hub.serve.site import Site
from edge.identity import device_id
from edge.sync.wire.authorization import shown_in


@dataclass(frozen=True, slots=True)
class Caller:
    """A device that may ask."""

    device: str
    school: str


class TurnedAwayError(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, reason: str, wait_s: int = 0) -> None:
        super().__init__(reason)
        self.status, self.reason, self.wait_s = status, reason, wait_s


def caller_of(site: Site, database: Database, request: Request) -> Caller:
    """Return who asks; raise TurnedAwayError for who may not, or not so often."""
    header = request.headers.get("authorization", "")
    shown = shown_in(header, request.method, request.scope["path"], site.place.id)
    device = device_id(shown.public) if shown else ""
    school, reason = _school(database, device, shown.token) if shown else ("", "wire-signature")
    now_s, address = int(site.now().timestamp()), request.client.host if request.client else ""
    near = limits.neighbours(address)
    asked = [(limits.DEVICE, device), (limits.DEVICE_ADDRESS, near)] if school else [(limits.STRANGER_ADDRESS, near)]
    with database.step():
        counts = [limits.count(database, limit, who, now_s) for limit, who in asked]
        wait_s = max(count.wait_s for count in counts)
        if any(count.is_first_refused for count in counts) or (not school and not wait_s):
            outcome = "limited" if wait_s else "refused"
            database.audit(site.stamp(), "wire", device=device, outcome=outcome, detail=f"{reason} {address}".strip())
    if wait_s:
        raise TurnedAwayError(Status.TOO_MANY, "wire-often", wait_s)
    if not school:
        raise TurnedAwayError(HTTPStatus.UNAUTHORIZED, reason)
    return Caller(device, school)


def _school(database: Database, device: str, token: bytes) -> tuple[str, str]:
    """Return the school of a device that may ask, or nothing and the reason."""
    sql = "SELECT code, revoked FROM devices JOIN schools ON school = schools.id WHERE devices.id = ?"
    for code, revoked in database.rows(sql, [device]):
        if revoked:
            return "", "device-revoked"
        known = str(code)
        break
    else:
        known = ""
    sql = "SELECT code, revoked FROM tokens JOIN schools ON school = schools.id WHERE hash = ?"
    for code, revoked in database.rows(sql, [token_hash(token)]) if token else []:
        if not revoked:
            # A device that changed its school says so with the token of the new one.
            return str(code), ""
        return known, "" if known else "token-revoked"
    return known, "" if known else "token-unknown"
