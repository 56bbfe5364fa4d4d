"""The model of a class: begun with the classroom, noticed and begun again when it dies, ended with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.classroom import Pupil
from benchmarks.processes import AMAUTA, ROOT
from edge.learning.store import Store
from edge.llama.brake import never
from edge.settings import Settings
from edge.shared import wire
from edge.shared.client import SharedEngine
from edge.shared.seats import MOST_SEATS, seats_for, token_bytes
from edge.tutor.gguf import read_head
from edge.tutor.prompt import grounded
from edge.tutor.workshop import model_that_may_answer
from edge.words import words_for
from school import MINI, school
from tui.classroom.board import State, about
from tui.classroom.engine import ClassEngine, Standing

QUESTION = "¿Qué vende Rosa en el mercado?"
PASSAGE = "Rosa vende huevos en el mercado y quiere"
PATIENCE_S = 30.0


class Opened:
    """A classroom on loopback whose school has a model that may answer."""

    def __init__(self, home: Path) -> None:
        self.home = home
        command = [*AMAUTA, "classroom", "--host", "127.0.0.1", "--port", "0", "--json"]
        environ = {**os.environ, "AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=ROOT, text=True
        )
        self.url = self.next("open")["url"]

    def next(self, event: str, **facts: object) -> dict[str, Any]:
        """Read what happens until this does."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event and facts.items() <= found.items():
                return found
        raise AssertionError(f"{event} {facts} never happened")

    def engine(self) -> int:
        """Return the process of the engine."""
        return int(json.loads((self.home / wire.FILE).read_bytes())["pid"])

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0


def alive(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the apps are forks")
def test_a_killed_engine_is_noticed_explained_and_comes_back_and_the_library_answers_meanwhile(
    home: Path, shared_index: Path
) -> None:
    school(home)
    (home / "index").symlink_to(shared_index)
    with Store.open(home / "amauta.db") as store:
        store.add_learner("Pupil 01", "es", "pupil-01")
    room = Opened(home)
    engines: list[int] = []
    messages = grounded(QUESTION, ["Rosa vende huevos."], "es")

    async def lesson() -> None:
        pupil = Pupil(room.url)
        async with pupil.connected():
            await pupil.come_in(0)
            assert room.next("engine", state="ready")["seats"] >= 1
            first = room.engine()
            os.kill(first, signal.SIGSTOP)  # it hears the question and says nothing
            waiting = asyncio.ensure_future(pupil.ask(QUESTION, "Se cortó la respuesta"))
            await asyncio.sleep(5)  # a second until Enter, the rest until the app has asked, also on a busy machine
            os.kill(first, signal.SIGKILL)
            await waiting
            await pupil.wait("Fuente:")
            assert PASSAGE in pupil.seen
            room.next("engine", state="restarting")
            room.next("engine", state="ready")
            engines.append(room.engine())
            assert engines != [first]
            again = SharedEngine(home, "anybody").stream(messages, max_tokens=4, stop=never)
            assert list(again)
            await pupil.ask(QUESTION)

    try:
        asyncio.run(lesson())
    finally:
        room.close()
    assert not alive(engines[0])
    assert not (home / wire.FILE).exists()


@pytest.mark.slow
def test_an_engine_whose_classroom_was_killed_ends_too(home: Path) -> None:
    school(home)
    command = [*AMAUTA, "engine", "--json", "--with-parent"]
    environ = {**os.environ, "AMAUTA_HOME": str(home)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=ROOT
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdin is not None
        assert json.loads(engine.stdout.readline())["model"] == "escuela"
        engine.stdin.close()
        assert engine.wait(PATIENCE_S) == 0
    assert not (home / wire.FILE).exists()


def test_a_process_that_dies_again_and_again_is_begun_less_and_less_often(home: Path) -> None:
    settings = school(home)
    model = model_that_may_answer(settings)
    assert model is not None
    stood: list[str] = []

    async def hour() -> float:
        broken = {**os.environ, "AMAUTA_HOME": str(home), "AMAUTA_THEME": "no such theme"}
        engine = ClassEngine(
            settings, model, lambda: stood.append(engine.standing.name), lambda: None, broken, (0.0, 0.1, 60.0)
        )
        began = time.monotonic()
        living = asyncio.ensure_future(engine.live())
        await asyncio.sleep(1.5)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        return time.monotonic() - began

    assert asyncio.run(hour()) < 4
    assert set(stood) == {"restarting"}


def test_without_a_model_that_may_answer_or_without_memory_no_process_begins(home: Path) -> None:
    async def standing(free_mb: int, *, has_model: bool) -> Standing:
        settings = school(home) if has_model else Settings(home)
        engine = ClassEngine(settings, model_that_may_answer(settings), lambda: None, lambda: free_mb)
        living = asyncio.ensure_future(engine.live())
        await asyncio.sleep(0.1)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        return engine.standing

    assert asyncio.run(standing(8000, has_model=False)).name == "none"
    assert asyncio.run(standing(700, has_model=True)).name == "memory"


def test_seats_are_as_many_as_memory_holds() -> None:
    head = read_head(MINI / "mini.gguf")
    size = (MINI / "mini.gguf").stat().st_size
    assert token_bytes(head) == 8 * 2 * (64 + 64) * 2
    found = [seats_for(head, size, free_mb) for free_mb in (100, 213, 224, 230, 8000)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, MOST_SEATS)
    assert 0 < found[2] < MOST_SEATS


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
def test_the_board_says_in_one_line_how_it_is_with_the_model(lang: str) -> None:
    words = words_for("tui", lang)
    said = set()
    for name in ("none", "form", "memory", "opening", "ready", "restarting"):
        line = Standing(name, 4).say(words)  # type: ignore[arg-type]
        state = State("10.0.0.1:8080", "ABCDEF", (), ("Rosa",), 0, "", line)
        assert line in about(state, words)
        said.add(line)
    assert len(said) == 6
    assert "4" in Standing("ready", 4).say(words)
