"""A phone loses the network while the page comes: a real browser asks for what is missing until it is there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from edge.sync.lan.interfaces import Address
from edge.words import words_for
from tui.classroom.apps import StartedApps
from tui.classroom.server import Classroom

PATIENCE_MS = 30_000
FULL = "El salón está lleno"
"""What whoever connects is told here: no app is needed to see that the page runs."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A classroom that is full."""
    found: list[str] = []
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def hour(over: asyncio.Event) -> None:
        room = Classroom(words_for("tui", "es"), "TOKEN1", StartedApps({}), lambda: None, lambda: 100)
        await room.open([Address("127.0.0.1")], 0)
        found.append(f"http://{room.open_at[0]}/TOKEN1/")
        ready.set()
        await over.wait()
        await room.close()

    over = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(hour(over)))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


def losing(page: Any, names: tuple[str, ...], times: int) -> list[str]:
    """Lose the first requests for these files as a network does; return those that are lost, as they come."""
    lost: list[str] = []

    def answer(route: Any) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name in names and lost.count(name) < times:
            lost.append(name)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/*", answer)
    return lost


@pytest.mark.parametrize("names", [("terminal.js",), ("terminal.js", "classroom.js")])
def test_a_page_whose_program_did_not_come_says_so_and_asks_for_it_again_until_it_is_there(
    url: str, chromium: Any, names: tuple[str, ...]
) -> None:
    page = chromium.new_page()
    lost = losing(page, names, 2)
    page.goto(url)
    page.get_by_text("La página no llegó entera.").wait_for(timeout=PATIENCE_MS)
    page.get_by_text(FULL).wait_for(timeout=PATIENCE_MS)
    assert sorted(set(lost)) == sorted(names)
    assert page.locator("#again").is_visible()
    page.close()


def test_colours_that_did_not_come_are_asked_for_again(url: str, chromium: Any) -> None:
    page = chromium.new_page()
    lost = losing(page, ("classroom.css",), 2)
    page.goto(url)
    page.get_by_text(FULL).wait_for(timeout=PATIENCE_MS)
    end = time.monotonic() + PATIENCE_MS / 1000
    while page.evaluate("getComputedStyle(document.body).position") != "fixed":
        assert time.monotonic() < end, "the colours never came"
        page.wait_for_timeout(50)
    assert len(lost) == 2
    assert "no llegó entera" not in page.inner_text("body")
    page.close()


def test_a_program_that_comes_twice_runs_once(url: str, chromium: Any) -> None:
    page = chromium.new_page()
    connections: list[Any] = []
    page.on("websocket", lambda socket: connections.append(socket))
    page.goto(url)
    page.get_by_text(FULL).wait_for(timeout=PATIENCE_MS)
    page.add_script_tag(url=f"{url}classroom.js")
    page.wait_for_timeout(200)
    assert len(connections) == 1
    page.close()
