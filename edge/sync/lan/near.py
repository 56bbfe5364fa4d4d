"""A device talks to a courier: pair by code, then requests whose answers are signed by who knew the code too.

The line may break at any time; each request is tried again, under a new number, until too much time has passed.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from edge.errors import EdgeError
from edge.sync.errors import RefusedError, SyncError
from edge.sync.lan.carrying import MOST_ACK_BYTES, MOST_ACKS
from edge.sync.lan.desk import fields_of
from edge.sync.lan.exchange import Connection, Reply
from edge.sync.lan.pairing import Handshake, Signer, answer_mac

PORTION = 1 << 17
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0, 4.0)
"""Between tries after the line broke."""

MOST_RESTARTS = 5

MOST_SMALL = 1 << 10
MOST_LIST = 32 * max(MOST_ACKS, 8192)
_REASONS = {
    "near-code-wrong", "near-code-old", "near-locked", "near-busy", "near-session", "near-replayed",
    "sealed-large", "sealed-not-age", "courier-full",
}  # fmt: skip


class Near:
    """One courier that was found; `pair` first."""

    def __init__(self, hosts: Sequence[str], port: int, cancelled: Callable[[], bool]) -> None:
        self._hosts, self._port, self._cancelled = hosts, port, cancelled
        self._connection: Connection | None = None
        self._signer: Signer | None = None
        self._reached = False

    def __enter__(self) -> Near:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def pair(self, code: str) -> None:
        """Become known to the courier by its code, and know that it is the one that shows it."""
        handshake = Handshake("device", code)
        begun = self._answered("/v1/pair", message=handshake.message)
        message, name = _hex(begun, "message"), str(_of(begun.body, "pairing"))
        shared = handshake.finish(message)
        if not re.fullmatch("[0-9a-f]{32}", name):
            raise RefusedError("near-message", reason="pairing")
        done = self._answered(f"/v1/pair/{name}", proof=shared.proof("device"))
        if not shared.is_proof("courier", _hex(done, "proof")):
            raise RefusedError("near-not-courier")
        session = str(_of(done.body, "session"))
        if not re.fullmatch("[0-9a-f]{32}", session):
            raise RefusedError("near-message", reason="session")
        self._signer = Signer(session, shared.key())

    def send(self, sealed: bytes, release: str, moved: Callable[[int], None]) -> bool:
        """Bring one bundle to the courier, from where an earlier try ended; False when it was there already.

        Returns only when the courier has it for good, and knows what will release it.
        """
        sha256 = hashlib.sha256(sealed).hexdigest()
        path = f"/v1/bundles/{sha256}"
        offset = _offset(self._signed("HEAD", path), len(sealed))
        if offset == len(sealed) and self._keep(sha256, release):
            return False
        restarts = 0
        while True:
            # All bytes may be there and it still does not count: then none follow, and it is looked at again.
            moved(offset)
            headers = {"Upload-Offset": str(offset), "Upload-Length": str(len(sealed))}
            reply = self._signed("PATCH", path, sealed[offset : offset + PORTION], headers=headers)
            if reply.status == 200:
                break
            before, offset = offset, _offset(reply, len(sealed))
            restarts += reply.status == 409 or offset <= before
            if restarts > MOST_RESTARTS:
                raise SyncError("near-lost", reason="offset")
        if not self._keep(sha256, release):
            raise SyncError("near-lost", reason="kept")
        return True

    def _keep(self, sha256: str, release: str) -> bool:
        reply = self._signed("POST", f"/v1/kept/{sha256}", json.dumps({"release": release}).encode())
        return _of(reply.body, "kept") is True

    def held(self) -> list[str]:
        """Return the names of the bundles that the courier carries."""
        return _names(self._signed("GET", "/v1/held", most=MOST_LIST))

    def release(self, name: str, secret: bytes) -> bool:
        """Say that a bundle needs no carrying any more; tell whether the courier let it go."""
        reply = self._signed("DELETE", f"/v1/held/{name}", json.dumps({"secret": secret.hex()}).encode())
        return _of(reply.body, "released") is True

    def acks(self) -> list[str]:
        """Return the names of the acknowledgements that wait there, for whomever."""
        return _names(self._signed("GET", "/v1/acks", most=MOST_LIST))[:MOST_ACKS]

    def ack(self, name: str) -> bytes:
        """Return one of them; nothing when it is gone."""
        return self._signed("GET", f"/v1/acks/{name}", most=MOST_ACK_BYTES).body

    def _answered(self, path: str, **given: bytes) -> Reply:
        """Ask one thing of the pairing; there is nobody to sign it yet."""
        body = json.dumps({name: value.hex() for name, value in given.items()}).encode()
        reply = self._tried("POST", path, dict, body, MOST_SMALL)
        if reply.status != 200:
            raise _refusal(reply)
        return reply

    def _signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        most: int = MOST_SMALL,
    ) -> Reply:
        signer = self._signer
        if signer is None:
            raise RefusedError("near-session")

        def signed() -> dict[str, str]:
            return {**(headers or {}), "Authorization": signer.sign(method, path, body)}

        reply = self._tried(method, path, signed, body, most)
        if reply.headers.get("amauta-answer") != answer_mac(signer.key, reply.status, signer.counter, reply.body):
            raise _refusal(reply) if reply.status == 401 else RefusedError("near-forged")
        if reply.status not in (200, 204, 409):
            raise _refusal(reply)
        return reply

    def _tried(self, method: str, path: str, headers: Callable[[], dict[str, str]], body: bytes, most: int) -> Reply:
        """Ask until there is an answer; raise SyncError when the line stays broken."""
        for pause_s in (*(PAUSES_S if self._reached else PAUSES_S[:1]), None):
            if self._cancelled():
                raise SyncError("near-cancelled")
            try:
                if self._connection is None:
                    self._connection = self._connected()
                reply = self._connection.ask(method, path, headers(), body, most)
                self._reached = True
                return reply
            except OSError as error:
                self._hang_up()
                if pause_s is None:
                    raise SyncError("near-lost", reason=error.strerror or str(error)) from error
            self._wait(pause_s)
        raise SyncError("near-lost", reason="")

    def _connected(self) -> Connection:
        trouble: OSError = OSError("no address")
        for host in self._hosts:
            try:
                return Connection(host, self._port)
            except OSError as error:
                trouble = error
        raise trouble

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._cancelled():
            time.sleep(0.05)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _refusal(reply: Reply) -> EdgeError:
    """Return what the courier's answer means; what it says itself is not repeated unless we know it."""
    reason = _of(reply.body, "reason")
    if reason == "courier-full":
        return SyncError("near-courier-full")
    if reason == "sealed-large":
        return SyncError("near-refused", status=reply.status)
    known = isinstance(reason, str) and reason in _REASONS
    return RefusedError(str(reason)) if known else SyncError("near-refused", status=reply.status)


def _offset(reply: Reply, total: int) -> int:
    text = reply.headers.get("upload-offset", "")
    if not re.fullmatch("[0-9]{1,12}", text) or int(text) > total:
        raise RefusedError("near-message", reason="offset")
    return int(text)


def _hex(reply: Reply, name: str) -> bytes:
    found = fields_of(reply.body, name)
    if found is None:
        raise RefusedError("near-message", reason=name)
    return found


def _of(body: bytes, name: str) -> Any:
    try:
        return json.loads(body)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _names(reply: Reply) -> list[str]:
    """Return a list of names, without what is none."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise RefusedError("near-message", reason="names")
    return [name for name in found if isinstance(name, str) and re.fullmatch("[0-9a-z]{16}", name)]
