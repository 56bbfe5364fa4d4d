"""One pupil's app, and the browser that shows it while there is one.

The app goes on for a while without a browser; whoever comes back with the same key finds it as it was.
"""

from __future__ import annotations

import asyncio
import json
import time
from asyncio import StreamReader
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tui.classroom.packets import about, packet, packets
from tui.classroom.room import Seat

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

LONGEST_KEYS = 4096
ELSEWHERE = "elsewhere"
"""Why a connection is closed when another tab shows the app now; the page knows the word."""

MOST_WAITING = 1 << 16
"""Bytes that an app has not read; one that reads nothing has hung."""


class App(Protocol):
    """A running app, forked or started."""

    reader: StreamReader

    def write(self, content: bytes) -> int:
        """Send bytes; return how many wait to be read."""

    def end(self) -> None:
        """Let it end: it sees that nobody writes any more."""

    def kill(self) -> None:
        """End it at once, if it has not ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the app said of itself last."""

    learner: str = ""
    name: str = ""
    typing: bool = False
    left: bool = False
    """Whether it ended because the pupil wanted so."""


class Session:
    """An app, its browser, and when something last happened."""

    def __init__(self, key: str, app: App, told: Callable[[], None]) -> None:
        self.key, self.app, self._changed = key, app, told
        self.told = Told()
        self.browser: ServerConnection | None = None
        self.active_at = time.monotonic()
        self.away_since: float | None = self.active_at
        self._closing: asyncio.Future[None] | None = None
        self.begun_at = self.active_at
        self.ending = False
        """Whether the server let it end, and not the pupil."""

    @property
    def seat(self) -> Seat:
        """What decides whether the app stays."""
        return Seat(self.key, self.active_at, self.away_since)

    async def show(self) -> None:
        """Bring to the browser what the app writes, until the app ends."""
        async for kind, content in packets(self.app.reader):
            if kind == b"D":
                await self._send(content)
            elif kind == b"M":
                await self._hear(json.loads(content))

    async def _hear(self, facts: dict[str, object]) -> None:
        told = self.told
        if facts.get("type") == "learner":
            self.told = Told(str(facts.get("id", "")), str(facts.get("name", "")), told.typing)
            self._changed()
        elif facts.get("type") == "typing":
            self.told = Told(told.learner, told.name, bool(facts.get("on")))
            await self._send_typing()
        elif facts.get("type") == "exit":
            self.told = Told(told.learner, told.name, left=True)

    async def attach(self, browser: ServerConnection, width: int, height: int) -> None:
        """Show the app in this browser from now on, and in no other."""
        if self.browser is not None:
            # Not waited for: a browser that lost its network does not answer.
            self._closing = asyncio.ensure_future(self.browser.close(reason=ELSEWHERE))
        self.browser, self.away_since, self.active_at = browser, None, time.monotonic()
        self.app.write(about(type="resize", width=width, height=height))
        self.app.write(about(type="focus"))
        await self._send_typing()

    def detach(self, browser: ServerConnection) -> None:
        """The browser is gone; the app waits for it."""
        if self.browser is browser:
            self.browser, self.away_since = None, time.monotonic()
            self._changed()

    def end(self) -> None:
        """Let the app end; whoever comes now gets a new one."""
        self.ending = True
        self.app.end()

    def take(self, message: list[object]) -> None:
        """Hand over what came from the browser; what is not understood is dropped."""
        match message:
            case ["keys", str(keys)] if len(keys) <= LONGEST_KEYS:
                waiting = self.app.write(packet(b"D", keys.encode("utf-8", "replace")))
                self.active_at = time.monotonic()
                if waiting > MOST_WAITING:
                    self.app.kill()
            case ["size", int(width), int(height)]:
                self.app.write(about(type="resize", width=clamped(width), height=clamped(height)))

    async def say_end(self, text: str, *, fresh: bool) -> None:
        """Tell the browser why nothing more comes; a fresh one begins with the names next time."""
        if self.browser is not None:
            await say_end(self.browser, text, fresh=fresh)

    async def _send_typing(self) -> None:
        await self._send(json.dumps({"type": "typing", "on": self.told.typing}))

    async def _send(self, content: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        if self.browser is not None:
            try:
                await self.browser.send(content)
            except ConnectionClosed:
                return


async def say_end(browser: ServerConnection, text: str, *, fresh: bool = False) -> None:
    """Tell a browser why nothing comes, and close."""
    from websockets.exceptions import ConnectionClosed

    try:
        await browser.send(json.dumps({"type": "end", "text": text, "fresh": fresh}))
        await browser.close()
    except ConnectionClosed:
        return


def clamped(cells: int) -> int:
    """Return a width or height that a screen can have."""
    return min(max(cells, 8), 200)
