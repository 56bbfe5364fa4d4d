"""The engine's process: listens on this machine, answers many sessions with one model, ends when told.

One thread works with the model; each session has a thread that does nothing but talk.
"""

from __future__ import annotations

import codecs
import hmac
import queue
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.llama.beginnings import Beginnings
from edge.llama.grammar import Grammar
from edge.llama.history import Fitted, beginning_of
from edge.shared import wire
from edge.shared.desk import Desk, Request
from edge.shared.door import open_door
from edge.shared.room import Room, opened
from edge.tutor.engine import Message
from edge.tutor.tuning import Tuning

TICK_S = 0.05
STILL_S = 5.0
"""A session that waits hears so often that we are here."""

STUCK_S = 60.0
"""A model that was not seen at work for so long hangs."""

HELLO_S = 5.0
MOST_SESSIONS = 128


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session asked."""

    who: str
    fitted: Fitted
    most: int
    grammar: Grammar | None
    beginning: int


def serve(
    path: Path,
    seats: int,
    home: Path,
    ready: Callable[[int], None],
    stopped: threading.Event,
    *,
    tuning: Tuning | None = None,
    adapter: Path | None = None,
    beginnings: Beginnings | None = None,
) -> None:
    """Load the model, announce it in `home` and answer until `stopped`; raise ModelError or OSError when that cannot be.

    `beginnings` is where those of lessons are kept on disk, if anywhere.
    """
    with opened(path, seats, tuning=tuning, adapter=adapter) as room:
        desk = Desk(room.sequences, seats, room.vocabulary.ends, beginnings=beginnings)
        secret = secrets.token_hex(16)
        with open_door(lambda session: _talk(session, secret, room, desk), MOST_SESSIONS) as port:
            wire.announce(home, wire.Place(port, secret, room.name, room.most_tokens))
            ready(port)
            try:
                desk.run(stopped.is_set)
            finally:
                (home / wire.FILE).unlink(missing_ok=True)


def _talk(session: socket.socket, secret: str, room: Room, desk: Desk) -> None:
    """Answer one question of one session."""
    wanted = _asked(session, secret, room)
    if wanted is not None:
        _answer(session, wanted, room, desk)


def _asked(session: socket.socket, secret: str, room: Room) -> Wanted | None:
    """Read the question; say why when it cannot be answered."""
    session.settimeout(HELLO_S)
    content = b""
    while not content.endswith(b"\n"):
        if len(content) > wire.MOST_LINE or not (more := session.recv(1 << 16)):
            return None
        content += more
    try:
        facts = wire.read(content)
        if not hmac.compare_digest(str(facts["secret"]).encode(), secret.encode()):
            return None
        who, most = str(facts["who"])[:80], int(facts["most"])
        shape = facts.get("shape")
        grammar = None if shape is None else room.vocabulary.grammar(shape)
        fitted = room.fit([_message(m) for m in facts["messages"]], most)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    except EdgeError as error:
        session.sendall(wire.line({"error": error.key, "values": _plain(error)}))
        return None
    count = len(fitted.tokens)
    if count + 1 > room.most_tokens:
        values = {"tokens": count, "room": room.most_tokens}
        session.sendall(wire.line({"error": "model-question-long", "values": values}))
        return None
    beginning = beginning_of(fitted.messages, fitted.tokens, room.vocabulary.conversation)
    return Wanted(who, fitted, min(most, room.most_tokens - count), grammar, beginning)


def _message(found: dict[str, Any]) -> Message:
    """Return one message; raise what `_asked` catches when it is none."""
    role, content = str(found["role"]), str(found["content"])
    if "stable" not in found:
        return {"role": role, "content": content}
    return {"role": role, "content": content, "stable": max(0, int(found["stable"]))}


def _answer(session: socket.socket, wanted: Wanted, room: Room, desk: Desk) -> None:
    heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    fitted = wanted.fitted
    request = Request(
        wanted.who, fitted.tokens, wanted.most, heard.put, fitted.longer, wanted.grammar, wanted.beginning
    )
    if not desk.ask(request):
        session.sendall(wire.line({"error": "engine-full", "values": {}}))
        return
    letters = codecs.getincrementaldecoder("utf-8")("replace")
    said = time.monotonic()
    try:
        while True:
            try:
                event = heard.get(timeout=TICK_S)
            except queue.Empty:
                if _hung_up(session):
                    return
                if time.monotonic() - desk.heard > STUCK_S:
                    session.sendall(wire.line({"error": "engine-lost", "values": {}}))
                    return
                if time.monotonic() - said > STILL_S:
                    said = time.monotonic()
                    session.sendall(wire.line({"still": True}))
                continue
            if "token" in event:
                if text := letters.decode(room.vocabulary.piece(event["token"])):
                    session.sendall(wire.line({"piece": text}))
            elif "end" in event:
                if rest := letters.decode(b"", final=True):
                    session.sendall(wire.line({"piece": rest}))
                error = event["error"]
                told = {"error": error.key, "values": _plain(error)} if error else {"end": event["end"]}
                session.sendall(wire.line(told))
                return
            else:
                session.sendall(wire.line(event))
    finally:
        desk.take_back(request)


def _hung_up(session: socket.socket) -> bool:
    readable, _, _ = select.select([session], [], [], 0)
    return bool(readable) and not session.recv(1)


def _plain(error: EdgeError) -> dict[str, str | int]:
    return {name: value if isinstance(value, int) else str(value) for name, value in error.values.items()}
