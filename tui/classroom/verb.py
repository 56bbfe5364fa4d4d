"""`amauta classroom`: open the app to the browsers of the school's own network, until Ctrl+C or the end of the hour."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import TYPE_CHECKING

from edge.command_line import ExitCode, Parser
from edge.errors import EdgeError
from edge.settings import Settings
from edge.tutor.workshop import model_that_may_answer
from edge.words import Words, words_for
from tui.classroom.board import State, board, counted

if TYPE_CHECKING:
    from edge.release.installed import InstalledModel
    from edge.sync.lan.interfaces import Address
    from tui.classroom.apps import Apps
    from tui.classroom.engine import ClassEngine, Standing
    from tui.classroom.server import Classroom

PORT = 8080
MORE_PORTS = 10
"""How many further ports are tried when that one is taken, and nobody asked for one."""

MOST_MINUTES = 24 * 60
REDRAW_SECONDS = 0.3


def classroom(given: Sequence[str], settings: Settings) -> int:
    """Run the verb; return its exit code."""
    words = words_for("tui", settings.spoken_lang)
    args = _parsed(given, settings, words)
    if args.app_of is not None:
        from tui.classroom.apps import be_started

        return be_started(settings, args.app_of)
    addresses = _addresses(args.host)
    if args.port is not None and not 0 <= args.port < 1 << 16:
        raise EdgeError("classroom-port", port=args.port)
    if args.minutes is not None and not 0 < args.minutes <= MOST_MINUTES:
        raise EdgeError("classroom-minutes", minutes=args.minutes, most=MOST_MINUTES)
    model = model_that_may_answer(settings, a_class=True)
    # The forks must begin before anything of asyncio does.
    apps = _apps(settings, model.path.stem if model else "", words)
    try:
        return asyncio.run(_hour(args, addresses, apps, settings, model, words))
    finally:
        apps.close()


def _parsed(given: Sequence[str], settings: Settings, words: Words) -> argparse.Namespace:
    parser = Parser(
        words_for("edge", settings.spoken_lang), "amauta classroom", words.say("classroom.verb.description")
    )
    parser.add_argument("--port", type=int, metavar="N", help=words.say("classroom.verb.port"))
    parser.add_argument("--host", metavar="ADDR", help=words.say("classroom.verb.host"))
    parser.add_argument("--minutes", type=int, metavar="N", help=words.say("classroom.verb.minutes"))
    parser.add_argument("--json", action="store_true", help=words.say("classroom.verb.json"))
    parser.add_argument("--app-of", help=argparse.SUPPRESS)
    return parser.parse_args(given)


def _addresses(host: str | None) -> list[Address]:
    """Return where to listen: the one address asked for, or those of the local networks."""
    import ipaddress

    from edge.sync.lan.interfaces import address_of, lan_addresses

    if host is None:
        found = [address for address in lan_addresses() if address.typable]
        if not found:
            raise EdgeError("classroom-no-network")
        return found
    address = address_of(host)
    number = ipaddress.ip_address(address.host)
    if number.is_unspecified or not (number.is_private or number.is_loopback):
        raise EdgeError("classroom-public", address=address.host)
    return [address]


def _apps(settings: Settings, model: str, words: Words) -> Apps:
    from tui.classroom.apps import ForkedApps, StartedApps

    if sys.platform != "linux":
        return StartedApps(os.environ)
    from tui.classroom.nursery import Nursery

    nursery = Nursery.open(settings, model)
    _narrate(words.say("classroom.board.opening"))
    try:
        nursery.wait()
    except BaseException:
        nursery.close()
        raise
    return ForkedApps(nursery)


async def _hour(
    args: argparse.Namespace,
    addresses: Sequence[Address],
    apps: Apps,
    settings: Settings,
    model: InstalledModel | None,
    words: Words,
) -> int:
    from tui.classroom.engine import ClassEngine
    from tui.classroom.free_memory import free_mb
    from tui.classroom.page import new_token
    from tui.classroom.server import Classroom

    changed, over = asyncio.Event(), asyncio.Event()
    room = Classroom(words, token := new_token(SystemRandom()), apps, changed.set, free_mb)
    await _listen(room, addresses, args.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl+C ends the loop with KeyboardInterrupt.
            asyncio.get_running_loop().add_signal_handler(number, over.set)
    until = ""
    if args.minutes:
        until = f"{datetime.now().astimezone() + timedelta(minutes=args.minutes):%H:%M}"
        asyncio.get_running_loop().call_later(60 * args.minutes, over.set)
    engine = ClassEngine(settings, model, changed.set, free_mb)
    show = Show(room, engine, token, until, words, as_json=args.json)
    show.opened()
    works = [asyncio.ensure_future(work) for work in (_follow(show, changed), engine.live())]
    try:
        await over.wait()
    finally:
        for work in works:
            work.cancel()
        await room.close()
        await asyncio.gather(*works, return_exceptions=True)
        show.closed()
    return ExitCode.DONE


async def _listen(room: Classroom, addresses: Sequence[Address], port: int | None) -> None:
    for tried in [port] if port is not None else range(PORT, PORT + MORE_PORTS):
        with suppress(OSError):
            return await room.open(addresses, tried)
    shown = PORT if port is None else port
    raise EdgeError("classroom-taken", address=addresses[0].host, port=shown)


async def _follow(show: Show, changed: asyncio.Event) -> None:
    while True:
        await changed.wait()
        changed.clear()
        show.now()
        await asyncio.sleep(REDRAW_SECONDS)


@dataclass(slots=True)
class Show:
    """The teacher's terminal: a board that is drawn anew, or lines where there is no terminal."""

    room: Classroom
    engine: ClassEngine
    token: str
    until: str
    words: Words
    as_json: bool
    _last: int = 0
    _standing: Standing | None = None

    def opened(self) -> None:
        """Show it for the first time."""
        state = self._state()
        self._answer("open", url=state.url, addresses=self.room.open_at)
        self._standing = self.engine.standing
        self._answer("engine", state=self._standing.name, seats=self._standing.seats)
        if not self._board():
            _narrate("\n".join(board(state, self.words, 80)))

    def now(self) -> None:
        """Show what has changed."""
        if self._board():
            return
        standing = self.engine.standing
        if standing != self._standing:
            self._standing = standing
            self._answer("engine", state=standing.name, seats=standing.seats)
            _narrate(standing.say(self.words))
        here = len(self.room.here)
        if here != self._last:
            self._last = here
            self._answer("here", count=here, turned_away=self.room.turned_away)
            _narrate(counted(self.room.here, self.words))

    def closed(self) -> None:
        """Say that nobody is connected any more."""
        self._answer("closed")
        _narrate(self.words.say("classroom.board.closed"))

    def _board(self) -> bool:
        if self.as_json or not sys.stderr.isatty():
            return False
        width = shutil.get_terminal_size((80, 24)).columns
        sys.stderr.write("\x1b[H\x1b[2J" + "\n".join(board(self._state(), self.words, width)) + "\n")
        sys.stderr.flush()
        return True

    def _state(self) -> State:
        first, *others = self.room.open_at
        told = (tuple(self.room.here), self.room.turned_away, self.until, self.engine.standing.say(self.words))
        return State(first, self.token, tuple(others), *told)

    def _answer(self, event: str, **facts: object) -> None:
        if self.as_json:
            sys.stdout.write(f"{json.dumps({'event': event, **facts}, ensure_ascii=False)}\n")
            sys.stdout.flush()


def _narrate(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
