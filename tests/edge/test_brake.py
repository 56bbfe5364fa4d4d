"""llama.cpp is told to stop by a byte that it reads itself: Python is asked now and then, never at each step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.llama import brake
from edge.llama.reading import Reading
from edge.tutor.llama import LlamaEngine

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
QUESTION = [*range(300, 428)]


@pytest.fixture
def engine() -> Iterator[LlamaEngine]:
    with LlamaEngine.open(MINI) as engine:
        yield engine


@pytest.fixture
def reading(engine: LlamaEngine) -> Reading:
    return engine._reading


def test_python_is_asked_now_and_then_not_at_each_step_of_a_token(reading: Reading) -> None:
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return False

    began = time.monotonic()
    for token in QUESTION:
        reading.read([token], stop)
    looks = (time.monotonic() - began) / brake.LOOK_SECONDS
    assert len(asked) <= len(QUESTION) + looks + 1, "once before each token, and as often as the thread looks"


def test_what_is_to_stop_from_the_first_is_not_read(reading: Reading) -> None:
    assert not reading.read(QUESTION, lambda: True)
    assert reading.past == []


def test_after_a_stop_the_next_reading_goes_on(reading: Reading) -> None:
    assert reading.read(QUESTION[:64], lambda: False)
    assert not reading.read(QUESTION[64:], lambda: True)
    assert reading.read(QUESTION[64:], lambda: False)
    assert reading.past == QUESTION


def test_a_stop_that_comes_later_is_seen_by_the_thread_that_looks(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, begun = reading._api.llama_decode, threading.Event()

    def slow(context: object, batch: object) -> int:
        # llama.cpp begins only when the stop was seen, so that a fast machine is not done before.
        begun.set()
        end = time.monotonic() + 10
        while reading.computing._brake._flag[0] == brake.GO and time.monotonic() < end:
            time.sleep(0.005)
        return int(decode(context, batch))

    monkeypatch.setattr(reading._api, "llama_decode", slow)
    assert not reading.read(QUESTION, begun.is_set)


def test_the_thread_sleeps_when_nothing_is_read_wakes_again_and_ends_with_the_engine(
    reading: Reading, engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brake, "LOOKS", 1)
    for part in (QUESTION[:8], QUESTION[8:16]):
        assert reading.read(part, lambda: False)
        assert _soon(lambda: reading.computing._brake._asleep)
    watcher = reading.computing._brake._watcher
    assert watcher is not None
    engine.close()
    watcher.join(10)
    assert not watcher.is_alive()


def _soon(true: brake.Stop) -> bool:
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()
