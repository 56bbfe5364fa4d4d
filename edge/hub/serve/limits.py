"""How often something may be tried: counted in the database, so that all workers count together.

Names and addresses are kept as hashes only, and only until their time is over.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

from edge.hub.database import Database


@dataclass(frozen=True, slots=True)
class Limit:
    """So often in so many seconds."""

    name: str
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Count:
    """How far somebody is."""

    wait_s: int = 0
    """Until the next try is allowed; 0 when this one is."""

    is_first_refused: bool = False
    """The first one too many, the one to write down: a flood must not fill the audit."""


LOGIN_ADDRESS = Limit("login-address", 20, 300)
LOGIN_NAME = Limit("login-name", 10, 300)
"""Of one name from one address. None for a name alone: who tries names would keep their owners out, and no speed
guesses a token of 120 bits."""

LOGIN_BROWSER = Limit("login-browser", 10, 300)
"""Of one name from a browser where it was in before, whatever others do at the same address."""

DEVICE = Limit("device", 600, 60)
DEVICE_ADDRESS = Limit("device-address", 3000, 60)
STRANGER_ADDRESS = Limit("stranger-address", 60, 60)
"""Requests of devices that were not let in."""

_LONGEST_S = 3600
_NETWORK_BITS = 64


def neighbours(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, for everybody has millions of addresses in it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((int(found), _NETWORK_BITS), strict=False))


def count(database: Database, limit: Limit, who: str, now_s: int) -> Count:
    """Count one more try of `who`; inside a step."""
    begun = now_s // limit.seconds * limit.seconds
    key = hashlib.sha256(f"{limit.name}\0{who}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    database.execute(
        "INSERT INTO rates (key, slot, count) VALUES (?, ?, 1) ON CONFLICT (key, slot) DO UPDATE SET count = rates.count + 1",
        [key, begun],
    )
    [(tries,)] = database.rows("SELECT count FROM rates WHERE key = ? AND slot = ?", [key, begun])
    if tries == 1:
        database.execute("DELETE FROM rates WHERE slot < ?", [now_s - _LONGEST_S])
    if tries <= limit.most:
        return Count()
    return Count(begun + limit.seconds - now_s, tries == limit.most + 1)
