"""What pupils' sessions and the engine's process say to each other: one JSON object a line, on this machine only.

The session asks once, then listens; hanging up takes the question back. Where the engine listens and the secret it
wants stand in a file that only this user can read.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.files import write_atomic

FILE = "engine.json"
HOST = "127.0.0.1"
MOST_LINE = 1 << 20
KNOCK_S = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine listens."""

    port: int
    secret: str = field(repr=False)
    model: str
    room: int = 2048
    """How many tokens a conversation may have there."""


def announce(home: Path, place: Place) -> None:
    """Write where we listen; raises OSError."""
    path = home / FILE
    facts = {"port": place.port, "secret": place.secret, "model": place.model, "room": place.room, "pid": os.getpid()}
    write_atomic(path, json.dumps(facts).encode())
    path.chmod(0o600)


def found(home: Path) -> Place | None:
    """Return where an engine listens or listened, if one was announced."""
    try:
        facts = json.loads((home / FILE).read_bytes())
        return Place(int(facts["port"]), str(facts["secret"]), str(facts["model"]), int(facts["room"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def answers(home: Path) -> bool:
    """Tell whether an engine listens where one was announced; one that was killed is announced still."""
    place = found(home)
    if place is None:
        return False
    try:
        socket.create_connection((HOST, place.port), KNOCK_S).close()
    except OSError:
        return False
    return True


def line(facts: dict[str, Any]) -> bytes:
    """Return one message."""
    return json.dumps(facts, ensure_ascii=False).encode() + b"\n"


def read(content: bytes) -> dict[str, Any]:
    """Return what a line says; raise ValueError when it is no message."""
    facts = json.loads(content)
    if not isinstance(facts, dict):
        raise ValueError("no object")
    return facts
