"""What an open courier answers to each request of wire protocol 1. Knows nothing of sockets.

Only pairing is answered without a session. Every other answer is signed, so that nobody in between can say that a
bundle is here when it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.sync.errors import RefusedError, SyncError
from edge.sync.lan import carrying
from edge.sync.lan.courier import Courier, WrongOffsetError
from edge.sync.lan.events import Event
from edge.sync.lan.lobby import Lobby, Session
from edge.sync.lan.pairing import answer_mac

MOST_PORTION = 1 << 18
MOST_SMALL = 1 << 10
"""Bytes in any other request."""

SHA256 = "[0-9a-f]{64}"
NAME = "[0-9a-z]{16}"

_STATUS = {
    "near-session": 401,
    "near-replayed": 401,
    "near-code-wrong": 403,
    "near-code-old": 403,
    "near-locked": 403,
    "near-busy": 503,
    "sealed-large": 413,
    "courier-full": 507,
    "courier-trouble": 507,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read whole."""

    method: str
    path: str
    authorization: str = field(default="", repr=False)
    offset: str = ""
    total: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back."""

    status: int
    body: bytes = b""
    offset: int | None = None
    mac: str = ""


def said(status: int, **facts: object) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, json.dumps(facts).encode())


class Desk:
    """Answers the requests of devices, many at once."""

    def __init__(
        self, home: Path, courier: Courier, lobby: Lobby, told: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._home, self._courier, self._lobby, self._told, self._clock = home, courier, lobby, told, clock
        self._routes: list[tuple[str, re.Pattern[str], Callable[[Session, Asked, str], Answer]]] = [
            ("HEAD", re.compile(f"/v1/bundles/({SHA256})"), self._offset),
            ("PATCH", re.compile(f"/v1/bundles/({SHA256})"), self._portion),
            ("POST", re.compile(f"/v1/kept/({SHA256})"), self._kept),
            ("GET", re.compile("/v1/(held)"), self._held),
            ("DELETE", re.compile(f"/v1/held/({NAME})"), self._release),
            ("GET", re.compile("/v1/(acks)"), self._acks),
            ("GET", re.compile(f"/v1/acks/({NAME})"), self._ack),
        ]

    def most_bytes(self, method: str, path: str, authorization: str) -> int:
        """Return how large the body of a request may be; a stranger's is small."""
        known = self._lobby.knows(authorization)
        return MOST_PORTION if method == "PATCH" and path.startswith("/v1/bundles/") and known else MOST_SMALL

    def answer(self, asked: Asked) -> Answer:
        """Answer one request; never raises for what a device sent."""
        try:
            if asked.path.startswith("/v1/pair"):
                return self._pair(asked)
            now = self._clock()
            given = asked.authorization
            session, number = self._lobby.judge(given, asked.method, asked.path, asked.body, now)
        except RefusedError as error:
            return said(_STATUS.get(error.key, 400), reason=error.key)
        found = self._routed(session, asked)
        return Answer(found.status, found.body, found.offset, answer_mac(session.key, found.status, number, found.body))

    def _routed(self, session: Session, asked: Asked) -> Answer:
        for method, pattern, deed in self._routes:
            if method == asked.method and (found := pattern.fullmatch(asked.path)):
                try:
                    return deed(session, asked, found[1])
                except SyncError as error:
                    trouble = not isinstance(error, RefusedError)
                    self._told(Event("trouble" if trouble else "refused", session.number, error=error))
                    return said(_STATUS.get(error.key, 400), reason=error.key)
        return said(404, reason="near-unknown")

    def _pair(self, asked: Asked) -> Answer:
        found = re.fullmatch("/v1/pair(?:/([0-9a-f]{32}))?", asked.path)
        given = fields_of(asked.body, "message" if found and not found[1] else "proof")
        if not found or asked.method != "POST" or given is None:
            return said(404, reason="near-unknown")
        if not found[1]:
            name, message = self._lobby.begin(given, self._clock())
            return said(200, pairing=name, message=message.hex())
        session, proof = self._lobby.finish(found[1], given, self._clock())
        return said(200, session=session.id, proof=proof.hex())

    def _offset(self, session: Session, asked: Asked, sha256: str) -> Answer:
        if self._courier.has(sha256):
            self._told(Event("repeated", session.number))
        return Answer(200, offset=self._courier.offset(sha256))

    def _portion(self, session: Session, asked: Asked, sha256: str) -> Answer:
        if not all(re.fullmatch("[0-9]{1,12}", text) for text in (asked.offset, asked.total)):
            return said(400, reason="near-unknown")
        offset, total = int(asked.offset), int(asked.total)
        if self._courier.has(sha256):
            return said(200, state="kept", reason="")
        try:
            whole = self._courier.append(sha256, offset, total, asked.body)
        except WrongOffsetError as error:
            return Answer(409, offset=error.offset)
        if offset == 0:
            self._told(Event("began", session.number, total=total))
        if not whole:
            return Answer(204, offset=offset + len(asked.body))
        self._told(Event("received", session.number, total=total))
        return said(200, state="kept", reason="")

    def _kept(self, session: Session, asked: Asked, sha256: str) -> Answer:
        release = fields_of(asked.body, "release")
        if release is None or len(release) != 32:
            return said(400, reason="near-unknown")
        return said(200, kept=self._courier.keep_release(sha256, release.hex()), sha256=sha256)

    def _held(self, session: Session, asked: Asked, _: str) -> Answer:
        return Answer(200, json.dumps([held.sha256[:16] for held in self._courier.held()]).encode())

    def _release(self, session: Session, asked: Asked, name: str) -> Answer:
        secret = fields_of(asked.body, "secret")
        return said(200, released=secret is not None and self._courier.release(name, secret))

    def _acks(self, session: Session, asked: Asked, _: str) -> Answer:
        return Answer(200, json.dumps(carrying.ack_names(self._home)).encode())

    def _ack(self, session: Session, asked: Asked, name: str) -> Answer:
        content = carrying.ack(self._home, name)
        return Answer(200, content) if content is not None else Answer(204)


def fields_of(body: bytes, name: str) -> bytes | None:
    """Return the bytes a small JSON object holds, in hexadecimal, under a name; None when it is something else."""
    try:
        found = json.loads(body)[name]
        return bytes.fromhex(found) if isinstance(found, str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
