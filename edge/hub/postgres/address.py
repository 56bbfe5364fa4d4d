"""The address of a PostgreSQL database, `postgresql://user:password@host/name`, and how it may be shown.

Pure. A password is never shown: not in a sentence, not in what the server said.
"""

from __future__ import annotations

import re

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from edge.hub.errors import HubError

_SECRET = re.compile(r"^([^/]*//[^/@?]*?):[^/?]*@")
_MORE = re.compile(r"[?#].*", re.DOTALL)


def checked(address: str) -> str:
    """Return the address if it is one."""
    try:
        if not address.startswith(("postgresql://", "postgres://")) or not address.isprintable():
            raise HubError("database-address")
        conninfo_to_dict(address)
    except ProgrammingError:
        # What it says repeats the address, password and all.
        raise HubError("database-address") from None
    return address


def shown(address: str) -> str:
    """Return the address without its password and options."""
    return _SECRET.sub(r"\1@", _MORE.sub("", address))


def without_secrets(said: str, address: str) -> str:
    """Return one line of what the server or its library said, without the password."""
    password = str(conninfo_to_dict(address).get("password") or "")
    line = " ".join(said.replace(address, shown(address)).split())
    return (line.replace(password, "***") if password else line)[-160:]
