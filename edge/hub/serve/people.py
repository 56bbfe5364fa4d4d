"""Who may read at a hub: people with a name, a role and an access token that is kept as a slow hash.

A token is shown once, when the person is added. Whoever is revoked is out at once, also where logged in.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from random import Random
from threading import BoundedSemaphore
from typing import Literal

from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.learning.learner import ID_LETTERS
from edge.sync.enrolment import SCHOOL_CODE

Role = Literal["district", "school"]
NAME_CHARACTERS = 60
_GROUPS, _GROUP = 6, 4
_SALT_BYTES = 16
_AT_ONCE = BoundedSemaphore(2)
"""Each hash takes 32 MB of memory for a moment: a flood of guesses must not take all there is."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who is logged in."""

    name: str
    role: Role
    school: str = ""
    """The code of the school of somebody of a school; empty for the district."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of people."""

    name: str
    role: str
    school: str
    made: str
    revoked: str


def new_token(random: Random) -> str:
    """Return an access token of 120 bits, in groups that can be read aloud; pass `secrets.SystemRandom()`."""
    return "-".join("".join(random.choice(ID_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def slow_hash(token: str, salt: bytes) -> str:
    """Return how a token is kept; dashes, blanks and capitals do not matter."""
    plain = "".join(letter for letter in token.casefold() if letter.isalnum())
    with _AT_ONCE:
        return hashlib.scrypt(plain.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=64 << 20).hex()


def add(database: Database, name: str, role: Role, school: str, token: str, at: str) -> None:
    """Let somebody in with `token`; somebody who was revoked, or lost the token, gets the new one."""
    plain = " ".join(name.split())
    if not plain or len(plain) > NAME_CHARACTERS or not plain.isprintable():
        raise HubError("person-name", name=ascii(name)[1:-1][:60], most=NAME_CHARACTERS)
    if (role == "school") != bool(school):
        raise HubError("person-school")
    if school and not SCHOOL_CODE.fullmatch(school):
        raise HubError("school-code", school=school[:60])
    salt = os.urandom(_SALT_BYTES)
    kept = slow_hash(token, salt)
    with database.step():
        if database.rows("SELECT 1 FROM people WHERE name = ? AND revoked = ''", [plain]):
            raise HubError("person-there", name=plain)
        number = database.school(school) if school else None
        database.execute("DELETE FROM sessions WHERE person IN (SELECT id FROM people WHERE name = ?)", [plain])
        database.execute(
            "INSERT INTO people (name, role, school, salt, hash, made) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET role = excluded.role, school = excluded.school, salt = excluded.salt, "
            "hash = excluded.hash, made = excluded.made, revoked = ''",
            [plain, role, number, salt.hex(), kept, at],
        )
        database.audit(at, "people", outcome="added", detail=" ".join(filter(None, (plain, role, school))))


def revoke(database: Database, name: str, at: str) -> None:
    """Shut somebody out, everywhere and at once."""
    plain = " ".join(name.split())
    with database.step():
        if not database.execute("UPDATE people SET revoked = ? WHERE name = ? AND revoked = ''", [at, plain]):
            raise HubError("person-absent", name=ascii(name)[1:-1][:60])
        database.execute("DELETE FROM sessions WHERE person IN (SELECT id FROM people WHERE name = ?)", [plain])
        database.audit(at, "people", outcome="revoked", detail=plain)


def listed(database: Database) -> list[Listed]:
    """Return everybody, also who was revoked."""
    sql = (
        "SELECT name, role, coalesce(code, ''), made, revoked FROM people "
        "LEFT JOIN schools ON schools.id = school ORDER BY name"
    )
    return [Listed(*row) for row in database.rows(sql)]


def number_of(database: Database, name: str, token: str) -> int | None:
    """Return the number of the person whose name and token these are; a wrong name takes as long as a wrong token."""
    sql = "SELECT id, salt, hash FROM people WHERE name = ? AND revoked = ''"
    found = database.rows(sql, [name]) if name.isprintable() else []
    number, salt, kept = found[0] if found else (None, bytes(_SALT_BYTES).hex(), "")
    right = hmac.compare_digest(slow_hash(token, bytes.fromhex(salt)), kept)
    return int(number) if right and number is not None else None
