"""Turn what PostgreSQL says into what a person at the hub can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from edge.hub.errors import HubError
from edge.hub.postgres.address import shown, without_secrets

_BY_STATE = {
    "53100": "hub-full",  # disk_full
    "55P03": "hub-busy",  # lock_not_available: another step took longer than we wait
    "40P01": "hub-busy",  # deadlock_detected
    "40001": "hub-busy",  # serialization_failure
    "53300": "hub-busy",  # too_many_connections
    "42501": "database-rights",
    "42P07": "database-taken",  # duplicate_table, at the first opening
    "28P01": "database-password",
    "28000": "database-password",
    "3D000": "database-missing",
}
_AWAY = ("08", "57P")
"""Connection exceptions; a server that stops or starts."""

# Before the connection stands there is no code, and the server may speak the language of its administrator.
_AT_THE_DOOR = {
    "database-password": r"password|contrase|autentica|autentifica|pg_hba|no role|role .* does not exist|rol .* no existe|papel .* não existe",
    "database-missing": r"database .* does not exist|base de datos .* no existe|banco de dados .* não existe",
    "hub-busy": r"too many|demasiadas|demasiados|muitas|remaining connection slots",
}


@contextmanager
def plain_errors(address: str) -> Iterator[None]:
    """Raise HubError in the place of what psycopg raises."""
    try:
        yield
    except psycopg.Error as error:
        # `from None`: what the library says may hold the address with its password.
        raise plain(error, address) from None


def plain(error: psycopg.Error, address: str) -> HubError:
    """Return the sentence for an error."""
    state = error.sqlstate or ""
    said = without_secrets(str(error), address)
    key = _BY_STATE.get(state, "")
    if not key and "No space left on device" in said:
        key = "hub-full"
    if not key and (state.startswith(_AWAY) or (not state and isinstance(error, psycopg.OperationalError))):
        key = next((each for each, words in _AT_THE_DOOR.items() if re.search(words, said, re.IGNORECASE)), "")
        key = key or "database-away"
    return HubError(key or "database-broken", path=shown(address), reason=said)
