"""A classroom as pupils have it: real browsers and connections, a real server, one app for each pupil."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.classroom import Pupil, memory_mb, open_classroom
from edge.learning.store import Store
from edge.settings import Settings
from edge.words import words_for
from tui.classroom.apps import StartedApps
from tui.classroom.server import Classroom

if sys.platform != "linux":
    pytest.skip("the apps are forks, and memory is read from /proc", allow_module_level=True)

MOST_MB = 60
PATIENCE_SECONDS = 30.0
QUESTION = "¿Cómo se alimentan las plantas?"


@dataclass(frozen=True, slots=True)
class Room:
    """An open classroom."""

    url: str
    process: int
    home: Path

    @property
    def origin(self) -> str:
        return self.url.rsplit("/", 2)[0]

    @property
    def token(self) -> str:
        return self.url.rsplit("/", 2)[1]

    def attempts(self, name: str) -> list[str]:
        """Return the lessons of what somebody answered."""
        with Store.open(self.home / "amauta.db") as store:
            [learner] = [each for each in store.learners() if each.name == name]
            return [attempt.lesson for attempt in store.attempts(learner.id)]

    def apps(self) -> set[int]:
        """Return the processes of the apps: forks of the fork of the server."""
        return {each for nursery in children(self.process) for each in children(nursery)}


def children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, shared_index: Path) -> Iterator[Room]:
    home = tmp_path_factory.mktemp("classroom") / "home"
    home.mkdir()
    (home / "index").symlink_to(shared_index)
    with Store.open(home / "amauta.db") as store:
        for name in ("Pupil 01", "Pupil 02", "Rosa", "Tomás"):
            store.add_learner(name, "es", name.casefold().replace(" ", "-"))
    with open_classroom(home) as (url, process):
        yield Room(url, process, home)


class Phone:
    """A phone: she taps what she reads, and types on the line at the bottom."""

    def __init__(self, chromium: Any, url: str, width: int = 360, height: int = 640) -> None:
        self.requests: list[str] = []
        context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.goto(url)

    def text(self) -> str:
        return " ".join(self.page.inner_text("#screen").split())

    def wait_for(self, *choices: str) -> None:
        """Read until one of the sentences is there."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not any(words in self.text() for words in choices):
            assert time.monotonic() < end, f"{choices} never came; the page says: {self.text()}"
            self.page.wait_for_timeout(30)

    def tap(self, words: str) -> None:
        """Put a finger on words."""
        find = """words => {
            const node = document.createTreeWalker(document.getElementById("screen"), NodeFilter.SHOW_TEXT);
            while (node.nextNode()) {
                const at = node.currentNode.data.indexOf(words);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(node.currentNode, at);
                range.setEnd(node.currentNode, at + words.length);
                const box = range.getBoundingClientRect();
                return [box.left + box.width / 2, box.top + box.height / 2];
            }
        }"""
        self.page.touchscreen.tap(*self.page.evaluate(find, words))

    def write(self, words: str) -> None:
        self.page.fill("#say", words)
        self.page.tap("#line button")


@pytest.mark.slow
def test_a_pupil_asks_answers_loses_the_page_and_finds_her_place_again(room: Room, chromium: Any) -> None:
    phone = Phone(chromium, room.url)
    phone.wait_for("Rosa")
    phone.tap("Rosa")
    phone.wait_for("Hola, Rosa.")
    assert "Ajustes" not in phone.text()
    phone.write(QUESTION)
    phone.wait_for("Fuente: La fotosíntesis")
    assert "Las plantas fabrican su propia comida" in phone.text()
    phone.tap("F6")
    phone.wait_for("Tablas de multiplicar")
    phone.tap("Tablas")
    phone.wait_for("Ejercicio 1 de")
    phone.tap("a)")
    phone.wait_for("Todavía no.", "Guardado.")
    [exercise] = re.findall(r"¿Cuánto es [^?]+\?", phone.text())
    phone.page.reload()
    phone.wait_for(exercise)
    assert len(room.attempts("Rosa")) == 1
    foreign = [url for url in phone.requests if not url.replace("ws://", "http://").startswith((room.url, "data:,"))]
    assert foreign == []
    phone.tap("F10")
    phone.page.get_by_text("Saliste de Amauta.").wait_for()
    phone.page.tap("#again")
    phone.wait_for("¿Quién va a aprender?")


@pytest.mark.slow
def test_two_pupils_learn_at_once_each_under_her_own_name(room: Room, chromium: Any) -> None:
    one, other = Phone(chromium, room.url), Phone(chromium, room.url, 800, 600)
    for phone, name in ((one, "Rosa"), (other, "Tomás")):
        phone.wait_for(name)
        phone.tap(name)
        phone.wait_for(f"Hola, {name}.")
    one.write("¿Qué es un ecosistema?")
    other.write(QUESTION)
    one.wait_for("Fuente:")
    other.wait_for("Fuente: La fotosíntesis")
    assert "plantas fabrican" not in one.text()
    assert "Rosa" not in other.text()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run something in a loop of its own; the one of the browser stays in this thread."""

    async def patient() -> Any:
        return await asyncio.wait_for(work(), 3 * PATIENCE_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, patient()).result()


@pytest.mark.slow
def test_another_pupil_costs_less_than_sixty_megabytes(room: Room) -> None:
    async def two() -> tuple[float, float]:
        async with Pupil(room.url).connected() as one, Pupil(room.url).connected() as other:
            for pupil in (one, other):
                await pupil.come_in(0)
            await one.ask(QUESTION)
            before = memory_mb(room.process)[0]
            await other.ask(QUESTION)
            async with Pupil(room.url).connected() as third:
                await third.come_in(1)
                await third.ask("¿Qué hacen los osos polares en la luna?", "No lo encontré")
                return before, memory_mb(room.process)[0]

    before, after = run(two)
    assert after - before < MOST_MB


@pytest.mark.slow
def test_an_app_that_dies_is_told_of_and_comes_back_with_her_name_and_what_she_answered(room: Room) -> None:
    async def lesson() -> str:
        known = room.apps()
        pupil = Pupil(room.url)
        async with pupil.connected():
            await pupil.come_in(1)
            await pupil.practise(1)
            [app] = room.apps() - known
            os.kill(app, signal.SIGKILL)
            while not [told for told in pupil.told if told["type"] == "end"]:
                await asyncio.sleep(0.02)
        async with pupil.connected():
            await pupil.wait("Hola, Pupil 02")
        return str(next(told for told in pupil.told if told["type"] == "end")["text"])

    assert "Lo que respondiste está guardado" in run(lesson)
    assert room.attempts("Pupil 02")


def asked(room: Room, path: str, **headers: str) -> tuple[int, str, str]:
    """Return the status, the rules for the page and the text of an answer."""
    with closing(http.client.HTTPConnection(room.origin.removeprefix("http://"), timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            text = "" if answer.status == 101 else answer.read().decode()
            return answer.status, answer.headers.get("Content-Security-Policy", ""), text


def test_nobody_comes_in_from_another_page_by_another_name_or_without_the_whole_address(room: Room) -> None:
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    app = f"/{room.token}/app"
    assert asked(room, app, Origin=room.origin, **upgrade)[0] == 101
    assert asked(room, app, Origin="http://example.org", **upgrade)[0] == 403
    assert asked(room, app, **upgrade)[0] == 403
    assert asked(room, f"/{room.token}/", Host="example.org")[0] == 403
    for path in ("/", "/app", "/AAAAAA/app", f"/{room.token}/page/index.html"):
        status, _, text = asked(room, path, Origin=room.origin, **upgrade)
        assert status == 404, path
        assert room.token not in text
    status, rules, _ = asked(room, f"/{room.token}/")
    assert status == 200
    assert "default-src 'none'" in rules


def test_in_a_full_room_the_pupil_is_told_so_and_no_app_begins(tmp_path: Path) -> None:
    async def door() -> dict[str, Any]:
        from edge.sync.lan.interfaces import Address

        room = Classroom(words_for("tui", "en"), "TOKEN1", StartedApps({}), lambda: None, lambda: 100)
        await room.open([Address("127.0.0.1")], 0)
        pupil = Pupil(f"http://{room.open_at[0]}/TOKEN1/")
        async with pupil.connected():
            while not pupil.told:
                await asyncio.sleep(0.01)
        await room.close()
        assert room.turned_away == 1
        return pupil.told[0]

    assert "The room is full" in run(door)["text"]


@pytest.mark.slow
def test_where_nothing_can_be_forked_apps_are_started_and_closing_tells_everybody(
    home: Path, shared_index: Path
) -> None:
    home.mkdir()
    (home / "index").symlink_to(shared_index)
    with Store.open(Settings(home).store_path) as store:
        store.add_learner("Pupil 01", "pt", "pupil-01")
    environ = {**os.environ, "AMAUTA_LANG": "pt"}

    async def hour() -> list[dict[str, Any]]:
        from edge.sync.lan.interfaces import Address

        room = Classroom(words_for("tui", "pt"), "TOKEN1", StartedApps(environ), lambda: None, lambda: None)
        await room.open([Address("127.0.0.1")], 0)
        pupil = Pupil(f"http://{room.open_at[0]}/TOKEN1/")
        async with pupil.connected():
            await pupil.wait("Pupil 01")
            await pupil.keys("\r")
            await pupil.wait("Pupil 01")
            assert room.here
            await room.close()
            await asyncio.sleep(0.1)
        return pupil.told

    assert "Sua professora fechou a sala" in json.dumps(run(hour), ensure_ascii=False)


@pytest.mark.slow
def test_the_end_of_the_hour_ends_every_app(room: Room) -> None:
    """Stands last: it closes the classroom of this file."""

    async def hour() -> set[int]:
        pupil = Pupil(room.url)
        async with pupil.connected():
            await pupil.wait("Rosa")
            apps = {*room.apps(), *children(room.process)}
            os.kill(room.process, signal.SIGINT)
            while not [told for told in pupil.told if "Tu maestra cerró" in str(told.get("text"))]:
                await asyncio.sleep(0.02)
            return apps

    apps = run(hour)
    end = time.monotonic() + PATIENCE_SECONDS
    while left := [app for app in apps if alive(app)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
