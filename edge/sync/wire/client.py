"""Deliver sealed bundles to a hub over a line that is slow, silent for long, and breaks.

A bundle goes in portions, each as long as a few seconds of this line; what the hub confirmed is never sent again,
also after either side was restarted: the hub is asked first how much it has. After a break the pauses grow.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge.sync.errors import SyncError
from edge.sync.wire.line import PASSING, BrokenError, Line, Reply
from edge.words import words_for

OFFSET, LENGTH, REASON = "upload-offset", "upload-length", "amauta-reason"
SMALLEST, FIRST, LARGEST = 4 << 10, 16 << 10, 1 << 20
PORTION_S = 6.0
"""How long one portion should take: what a break may cost."""

FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_WAIT_S = 1.0, 60.0, 600.0
MOST_RESTARTS = 8
"""How often the hub may say that it needs other bytes: a bundle that changed on the way begins anew."""

LATER = (*PASSING, 500, 502, 503, 504, 507)
STATES = ("imported", "repeated", "refused", "kept")
_REASON = re.compile(r"[a-z0-9-]{1,40}")
_MARK = re.compile(r"[0-9a-z]{16}-[0-9a-f]{1,64}")
_LATER_SAID = {"wire-often", "wire-room", "wire-later", "hub-full"}
_UNWELCOME = {
    "device-revoked": "wire-revoked",
    "token-unknown": "wire-stranger",
    "token-revoked": "wire-old-enrolment",
    "wire-signature": "wire-unsigned",
}

Told = Callable[[int, int], None]
Waiting = Callable[[float, str], None]
"""Hears that nothing gets through: for how many seconds this waits, and why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a bundle."""

    state: str
    """`imported`, `repeated` or `refused` by a hub; `kept` by a laptop that carries it on."""

    reason: str = ""
    """The key of the error, when it was refused."""


@dataclass(slots=True)
class Pace:
    """How much to send at once, by how fast the last portion went."""

    portion: int = field(default_factory=lambda: FIRST)

    def took(self, size: int, seconds: float) -> None:
        """A portion got through."""
        fitting = int(size / max(seconds, 0.001) * PORTION_S)
        # At most twice the last: one portion that was quick by chance must not make the next one huge.
        self.portion = max(SMALLEST, min(fitting, 2 * max(self.portion, SMALLEST), LARGEST))

    def broke(self) -> None:
        """A portion did not get through."""
        self.portion = max(SMALLEST, self.portion // 2)


@dataclass(frozen=True, slots=True)
class Chance:
    """What a test gives otherwise: pauses, time, and luck."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    random: random.Random = field(default_factory=random.Random)


class Link:
    """A hub, or a laptop that carries on, at one address. Close it when done."""

    def __init__(
        self,
        base_url: str,
        authorize: Callable[[str, str], str],
        *,
        timeout_s: float = 60.0,
        patience_s: float = 900.0,
        lang: str = "es",
        authority: Path | None = None,
        chance: Chance | None = None,
        waiting: Waiting = lambda seconds, reason: None,
    ) -> None:
        """`patience_s` is how long nothing may get through before this gives up."""
        self._chance = chance or Chance()
        self._line = Line(base_url, timeout_s, authority, self._chance.now())
        self._authorize, self._patience_s, self._lang = authorize, patience_s, lang
        self._pace, self._waiting = Pace(), waiting

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def send(self, sealed: bytes, told: Told = lambda done, total: None) -> Sent:
        """Deliver one bundle to its end; `told` hears how many bytes are safe there. Raises SyncError when it cannot be."""
        path = f"/v1/bundles/{hashlib.sha256(sealed).hexdigest()}"
        trying = _Trying(self._chance, self._patience_s, self._waiting)
        offset: int | None = None
        restarts = 0
        while True:
            try:
                if offset is None:
                    offset = self._offset(path, len(sealed))
                    told(offset, len(sealed))
                portion = sealed[offset : offset + self._pace.portion]
                begun = self._chance.clock()
                reply = self._portion(path, offset, len(sealed), portion)
            except BrokenError as error:
                self._pace.broke()
                trying.again(error, self._line.host)
                offset = None
                continue
            if reply.status == 200:
                told(len(sealed), len(sealed))
                return _result(reply, self._line.host)
            found = _number(reply)
            if found is None or found > len(sealed):
                raise SyncError("wire-not-hub", host=self._line.host, status=reply.status)
            if reply.status == 409:
                # Further on is no change: what an earlier connection still carried, or another window, arrived.
                restarts += found <= offset
                if restarts > MOST_RESTARTS:
                    raise SyncError("wire-changed", host=self._line.host)
            elif found > offset:
                self._pace.took(len(portion), self._chance.clock() - begun)
            if found > offset:
                trying.got_through()
            offset = found
            told(offset, len(sealed))

    def ack(self, name: str) -> bytes | None:
        """Return the acknowledgement of a device (or file) of this name, None when there is none."""
        reply = self._asked("GET", f"/v1/acks/{name}")
        return reply.body if reply.status == 200 else None

    def acks(self) -> dict[str, str]:
        """Return the names of the acknowledgements that wait there for a school, each with a mark that changes with it."""
        reply = self._asked("GET", "/v1/acks")
        with suppress(ValueError, RecursionError):
            found = json.loads(reply.body)
            if isinstance(found, dict):
                return {name: str(mark) for name, mark in found.items() if _MARK.fullmatch(f"{name}-{mark}")}
        raise SyncError("wire-not-hub", host=self._line.host, status=reply.status)

    def _asked(self, method: str, path: str) -> Reply:
        """Ask until there is an answer."""
        trying = _Trying(self._chance, self._patience_s, self._waiting)
        while True:
            try:
                return self._judged(self._line.ask(method, path, self._headers(method, path)), 200, 204)
            except BrokenError as error:
                trying.again(error, self._line.host)

    def _offset(self, path: str, length: int) -> int:
        reply = self._judged(self._line.ask("HEAD", path, self._headers("HEAD", path)), 200)
        found = _number(reply)
        if found is None or found > length:
            raise SyncError("wire-not-hub", host=self._line.host, status=reply.status)
        return found

    def _portion(self, path: str, offset: int, length: int, portion: bytes) -> Reply:
        headers = {**self._headers("PATCH", path), OFFSET: str(offset), LENGTH: str(length)}
        headers["Content-Type"] = "application/octet-stream"
        return self._judged(self._line.ask("PATCH", path, headers, portion), 200, 204, 409)

    def _headers(self, method: str, path: str) -> Mapping[str, str]:
        return {"Authorization": self._authorize(method, path), "Accept-Language": self._lang}

    def _judged(self, reply: Reply, *right: int) -> Reply:
        """Return a reply of the right kind; raise BrokenError for what passes, SyncError for what does not."""
        if reply.status in right:
            return reply
        reason = reply.headers.get(REASON, "")
        if reply.status in LATER:
            words = words_for("edge", self._lang)
            asked = reply.headers.get("retry-after", "")
            wait_s = min(float(asked), MOST_WAIT_S) if asked.isdecimal() else 0.0
            raise BrokenError(
                words.say(f"wire.why.{reason}") if reason in _LATER_SAID else f"HTTP {reply.status}", wait_s
            )
        if reply.status == 401 and reason in _UNWELCOME:
            raise SyncError(_UNWELCOME[reason], host=self._line.host)
        if reason == "wire-version":
            raise SyncError("wire-version", host=self._line.host)
        raise SyncError("wire-not-hub", host=self._line.host, status=reply.status)


class _Trying:
    """Pauses that grow while nothing gets through, and an end to patience."""

    def __init__(self, chance: Chance, patience_s: float, waiting: Waiting) -> None:
        self._chance, self._patience_s, self._waiting = chance, patience_s, waiting
        self.got_through()

    def got_through(self) -> None:
        """Something got through."""
        self._pause_s, self._since = FIRST_PAUSE_S, self._chance.clock()

    def again(self, error: BrokenError, host: str) -> None:
        """Wait before the next try; raise SyncError when this has gone on for too long."""
        if self._chance.clock() - self._since >= self._patience_s:
            raise SyncError("wire-lost", host=host, reason=str(error)[:80]) from error
        # Devices whose line broke together must not all come back together.
        seconds = max(error.wait_s, self._pause_s * self._chance.random.uniform(0.5, 1.0))
        self._waiting(seconds, str(error)[:80])
        self._chance.sleep(seconds)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def _number(reply: Reply) -> int | None:
    found = reply.headers.get(OFFSET, "")
    return int(found) if found.isdecimal() and len(found) < 10 else None


def _result(reply: Reply, host: str) -> Sent:
    try:
        found = json.loads(reply.body)
        sent = Sent(found["state"], found.get("reason", ""))
        if sent.state not in STATES or not isinstance(sent.reason, str):
            raise ValueError("state")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SyncError("wire-not-hub", host=host, status=reply.status) from error
    return sent if not sent.reason or _REASON.fullmatch(sent.reason) else Sent(sent.state, "wire-unknown")
