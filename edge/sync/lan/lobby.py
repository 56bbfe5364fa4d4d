"""Who may hand a courier something: one code at a time, wrong tries counted, sessions with numbered requests.

Pure but for randomness; the time is an argument. Called from many threads.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from edge.sync.errors import RefusedError
from edge.sync.lan.events import Event
from edge.sync.lan.pairing import CODE_DIGITS, SCHEME, Handshake, Shared, request_mac

CODE_S = 600.0
"""A code is good for so long."""

MOST_WRONG = 5
"""Wrong tries with one code; then another must be shown."""

MOST_CODES_SPENT = 5
"""Codes used up by wrong tries; then nobody new comes in until the courier is opened again."""

MOST_PENDING = 64
PENDING_S = 20.0
MOST_SESSIONS = 256
IDLE_S = 1800.0


@dataclass(slots=True)
class Session:
    """One device that knew the code."""

    id: str
    number: int
    key: bytes = field(repr=False)
    used: float = 0.0
    counter: int = 0


@dataclass(frozen=True, slots=True)
class _Pending:
    shared: Shared
    code: str
    until: float


def draw_code() -> str:
    """Return six digits that nobody can guess."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


class Lobby:
    """The door of an open courier."""

    def __init__(self, now: float, told: Callable[[Event], None], draw: Callable[[], str] = draw_code) -> None:
        self._told, self._draw, self._lock = told, draw, Lock()
        self._pending: dict[str, _Pending] = {}
        self._sessions: dict[str, Session] = {}
        self._wrong = self._spent = self._numbers = 0
        self.code = draw()
        self._until = now + CODE_S

    @property
    def locked(self) -> bool:
        """Whether too many wrong codes were tried."""
        return self._spent >= MOST_CODES_SPENT

    def tick(self, now: float) -> None:
        """Let go of what is too old; a code that is gets a successor."""
        events: list[Event] = []
        with self._lock:
            self._pending = {name: each for name, each in self._pending.items() if each.until > now}
            self._sessions = {name: each for name, each in self._sessions.items() if each.used + IDLE_S > now}
            if now >= self._until and not self.locked:
                events = self._renew(now)
        self._tell(events)

    def renew(self, now: float) -> None:
        """Let another code count, because somebody asks for one; who was locked out may try again."""
        with self._lock:
            self._spent = 0
            events = self._renew(now)
        self._tell(events)

    def begin(self, message: bytes, now: float) -> tuple[str, bytes]:
        """Answer the first message of a device; return the name of the exchange and our message."""
        with self._lock:
            if self.locked:
                raise RefusedError("near-locked")
            if len(self._pending) >= MOST_PENDING:
                raise RefusedError("near-busy")
            code, name = self.code, secrets.token_hex(16)
        handshake = Handshake("courier", code)
        shared = handshake.finish(message)
        with self._lock:
            self._pending[name] = _Pending(shared, code, now + PENDING_S)
        return name, handshake.message

    def finish(self, name: str, proof: bytes, now: float) -> tuple[Session, bytes]:
        """Let a device in that proves to know the code; return its session and our own proof."""
        with self._lock:
            pending = self._pending.pop(name, None)
            if pending is None or pending.until <= now or pending.code != self.code or self.locked:
                raise RefusedError("near-code-old")
            if right := pending.shared.is_proof("device", proof):
                session = self._let_in(pending.shared.key(), now)
                events = [Event("paired", session.number)]
            else:
                events = self._count_wrong(now)
        self._tell(events)
        if not right:
            raise RefusedError("near-code-wrong")
        return session, pending.shared.proof("courier")

    def knows(self, authorization: str) -> bool:
        """Tell whether a request may come from somebody who is in; its signature is not looked at."""
        name = authorization.removeprefix(f"{SCHEME} ").partition(".")[0]
        with self._lock:
            return name in self._sessions

    def judge(self, authorization: str, method: str, path: str, body: bytes, now: float) -> tuple[Session, int]:
        """Return whose request this is, and its number; raise RefusedError for a false signature or a number seen before."""
        scheme, _, rest = authorization.partition(" ")
        parts = rest.split(".")
        if (
            scheme != SCHEME
            or len(parts) != 3
            or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 16)
        ):
            raise RefusedError("near-session")
        with self._lock:
            session = self._sessions.get(parts[0])
            counter = int(parts[1])
            if session is None or not parts[2].isascii():
                raise RefusedError("near-session")
            if not hmac.compare_digest(request_mac(session.key, method, path, counter, body), parts[2]):
                raise RefusedError("near-session")
            if counter <= session.counter:
                raise RefusedError("near-replayed")
            session.counter, session.used = counter, now
            return session, counter

    def _let_in(self, key: bytes, now: float) -> Session:
        if len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].used)]
        self._numbers += 1
        session = Session(secrets.token_hex(16), self._numbers, key, now)
        self._sessions[session.id] = session
        return session

    def _count_wrong(self, now: float) -> list[Event]:
        self._wrong += 1
        events = [Event("wrong-code", count=self._wrong)]
        if self._wrong >= MOST_WRONG:
            self._spent += 1
            events += self._renew(now)
        return events

    def _renew(self, now: float) -> list[Event]:
        """Let another code count; whoever is in stays in."""
        self._wrong, self._until, self.code = 0, now + CODE_S, self._draw()
        self._pending.clear()
        return [Event("locked") if self.locked else Event("code", code=self.code)]

    def _tell(self, events: list[Event]) -> None:
        """Tell what happened, with the door unlocked: who hears it may ask for another code."""
        for event in events:
            self._told(event)
