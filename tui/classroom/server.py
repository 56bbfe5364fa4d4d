"""The server of a classroom: the page to whoever knows the address of this hour, an app to each browser.

Listens only on the addresses it is given and only while it is open. Plain HTTP: browsers trust no certificate that a
school could make for itself.
"""

from __future__ import annotations

import asyncio
import http
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from edge.sync.lan.interfaces import Address, shown
from edge.words import Words
from tui.classroom import room
from tui.classroom.apps import Apps
from tui.classroom.page import Guesses, Pages, headers
from tui.classroom.session import Session, clamped, say_end

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

HELLO_SECONDS, OPEN_SECONDS = 10.0, 30.0
"""For the first words of an app's page, and for asking at all: thirty at once on an old laptop take their time."""

LOOK_SECONDS = 2.0
END_SECONDS = 3.0
LARGEST_MESSAGE = 16 << 10
MOST_REMEMBERED = 500
KEY = re.compile(r"[0-9a-f]{32}")


class Classroom:
    """The apps of the pupils, by the keys of their browsers."""

    def __init__(
        self, words: Words, token: str, apps: Apps, changed: Callable[[], None], free_mb: Callable[[], int | None]
    ) -> None:
        self._words, self._token, self._apps = words, token, apps
        self._changed, self._free_mb = changed, free_mb
        self._pages, self._guesses = Pages(words, token), Guesses()
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[Server] = []
        self._learners: dict[str, str] = {}
        """Who learned in which browser, when its app has ended and she did not leave by herself."""

        self.open_at: list[str] = []
        """Where it listens: HOST:PORT."""

        self.turned_away = 0
        """How often there was no room."""

    @property
    def here(self) -> list[str]:
        """The names of those whose browser is connected; empty for one who did not choose a name yet."""
        return [session.told.name for session in self._sessions.values() if session.browser is not None]

    async def open(self, addresses: Sequence[Address], port: int) -> None:
        """Listen; raise OSError when no address lets us."""
        from websockets.asyncio.server import serve

        trouble: OSError | None = None
        for address in addresses:
            try:
                self._servers.append(
                    await serve(
                        self._handle, address.host, port,
                        process_request=self._request, compression=None, max_size=LARGEST_MESSAGE, max_queue=8,
                        server_header=None, open_timeout=OPEN_SECONDS, ping_interval=15, ping_timeout=20,
                        close_timeout=END_SECONDS,
                    )
                )  # fmt: skip
            except OSError as error:
                trouble = error
                continue
            port = self._servers[-1].sockets[0].getsockname()[1]
            self.open_at.append(shown(address.host, port))
        if not self._servers:
            raise trouble or OSError("no address")
        self._task(self._look_after())

    async def close(self) -> None:
        """Tell everybody that the hour is over, then end everything."""
        text = self._words.say("classroom.page.closed")
        await asyncio.gather(*(session.say_end(text, fresh=False) for session in self._sessions.values()))
        for server in self._servers:
            server.close()
            await server.wait_closed()
        for session in self._sessions.values():
            session.end()
        deadline = time.monotonic() + END_SECONDS
        while self._sessions and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for session in self._sessions.values():
            session.app.kill()
        for task in self._tasks:
            task.cancel()

    def _task(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _request(self, browser: ServerConnection, request: Request) -> Response | None:
        """Answer a request, or let a browser connect to its app: from our own page only."""
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        host, asked = str(browser.remote_address[0]), request.headers.get("Host", "")
        if not {asked, f"{asked}:80"} & set(self.open_at) or self._guesses.too_many(host, time.monotonic()):
            return browser.respond(http.HTTPStatus.FORBIDDEN, "")
        if self._pages.names_app(request.path):
            ours = request.headers.get("Origin") == f"http://{asked}"
            return None if ours else browser.respond(http.HTTPStatus.FORBIDDEN, "")
        answer = self._pages.answer(request.path)
        if answer.status == http.HTTPStatus.NOT_FOUND:
            self._guesses.wrong(host, time.monotonic())
        phrase = http.HTTPStatus(answer.status).phrase
        return Response(answer.status, phrase, Headers(headers(answer, asked)), answer.content)

    async def _handle(self, browser: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            hello = json.loads(await asyncio.wait_for(browser.recv(), HELLO_SECONDS))
            match hello:
                case ["hello", str(key), int(width), int(height)] if KEY.fullmatch(key):
                    session = await self._session(browser, key, clamped(width), clamped(height))
                case _:
                    session = None
            if session is not None:
                await self._listen(browser, session)
        except (ConnectionClosed, TimeoutError, ValueError):
            return

    async def _session(self, browser: ServerConnection, key: str, width: int, height: int) -> Session | None:
        """Return the app of this browser, a new one where there is room; tell the browser when there is none."""
        session = self._sessions.get(key)
        if session is None or session.ending:
            if not self._make_room():
                self.turned_away += 1
                self._changed()
                await say_end(browser, self._words.say("classroom.page.full"))
                return None
            try:
                app = await self._apps.begin(width, height, self._learners.get(key, ""))
            except OSError:
                await say_end(browser, self._words.say("classroom.page.broken"))
                return None
            session = self._sessions[key] = Session(key, app, self._changed)
            self._task(self._live(session))
        await session.attach(browser, width, height)
        self._changed()
        return session

    def _make_room(self) -> bool:
        now = time.monotonic()
        young = sum(now - session.begun_at < room.YOUNG_SECONDS for session in self._sessions.values())
        if room.has_room(len(self._sessions), young, self._free_mb(), self._apps.each_mb):
            return True
        key = room.gives_way(session.seat for session in self._sessions.values())
        if key is None:
            return False
        session = self._sessions.pop(key)
        self._remember(session, session.told.learner)
        session.end()
        return True

    async def _listen(self, browser: ServerConnection, session: Session) -> None:
        try:
            async for message in browser:
                session.take(json.loads(message))
        finally:
            session.detach(browser)

    async def _live(self, session: Session) -> None:
        """Show an app as long as it lives, and say why it ended."""
        await session.show()
        if self._sessions.get(session.key) is session:
            del self._sessions[session.key]
        if not session.ending:
            left = session.told.left
            self._remember(session, "" if left else session.told.learner)
            await session.say_end(self._words.say(f"classroom.page.{'left' if left else 'broken'}"), fresh=left)
        session.end()
        self._changed()

    def _remember(self, session: Session, learner: str) -> None:
        """Remember who learned in a browser; the oldest of too many is forgotten."""
        self._learners.pop(session.key, None)
        if learner:
            self._learners[session.key] = learner
            if len(self._learners) > MOST_REMEMBERED:
                del self._learners[next(iter(self._learners))]

    async def _look_after(self) -> None:
        """End the apps of those who have been away or still for too long."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for key in room.overdue([session.seat for session in self._sessions.values()], time.monotonic()):
                session = self._sessions[key]
                self._remember(session, session.told.learner)
                session.end()
                await session.say_end(self._words.say("classroom.page.idle"), fresh=False)
