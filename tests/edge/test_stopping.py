"""Whoever stops waits for nothing: while a question is read, while a guess is checked, alone and in a class."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest

if not find_spec("gguf"):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from benchmarks.shaped import Size, write_random
from edge.errors import ModelError
from edge.llama.brake import never
from edge.llama.history import Fitted
from edge.llama.reading import FIRST_TOKENS, PORTION_SECONDS, Reading
from edge.llama.sequences import Sequences
from edge.shared import desk as desks
from edge.shared import server
from edge.shared.client import SharedEngine
from edge.shared.desk import Desk, Request
from edge.shared.room import opened
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine
from promptness import within

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
LARGE = Size(layers=8, hidden=768, feed_forward=3072, vocabulary=2000)
"""Reading a long question takes this one seconds."""

STORY: list[Message] = [{"role": "user", "content": "Cuenta un cuento largo."}]
LESSON = "Texto: " + "La planta toma agua del suelo por la raíz y la lleva por el tallo. " * 16 + "\n"


def tokens(count: int, seed: int = 1) -> list[int]:
    chance = Random(seed)
    return [chance.randrange(3, 2000) for _ in range(count)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.gguf"
    write_random(path, LARGE)
    return path


@pytest.fixture(scope="module")
def large(model: Path) -> Iterator[LlamaEngine]:
    with LlamaEngine.open(model) as engine:
        yield engine


@pytest.fixture(scope="module")
def batch_seconds(large: LlamaEngine) -> float:
    """How long one whole batch takes here; a stop must take a small part of it."""
    large._reading.forget()
    began = time.perf_counter()
    large._reading.read(tokens(256))
    return time.perf_counter() - began


def stops(
    work: Callable[[Callable[[], bool]], object], after: float, limit_s: float, begun: Callable[[], bool] = lambda: True
) -> None:
    """Tell `work` to stop, `after` seconds from its beginning once it has `begun`, and see that it does so soon."""
    stopped, ended = threading.Event(), threading.Event()

    def run() -> None:
        work(stopped.is_set)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    time.sleep(after)
    while not begun() and not ended.is_set():
        time.sleep(0.01)
    assert not ended.is_set(), "the machine is too fast for this test"
    with within(limit_s):
        stopped.set()
        assert ended.wait(60)


@pytest.mark.parametrize("portions", [0, 1])
def test_reading_stops_within_a_small_part_of_a_batch(large: LlamaEngine, batch_seconds: float, portions: int) -> None:
    reading = large._reading
    reading.forget()
    asked = tokens(1500, seed=2)

    def read(stop: Callable[[], bool]) -> None:
        reading.read(asked, stop)

    limit_s = 0.2 + batch_seconds / 4
    stops(read, 0.3 * batch_seconds, limit_s, lambda: len(reading.past) >= portions * FIRST_TOKENS)
    there = len(reading.past)
    assert reading.past == asked[:there]
    assert there >= portions * FIRST_TOKENS, "what was read before stays"
    assert reading.read(asked[there : there + 20])


def test_checking_a_guess_stops_too(large: LlamaEngine, batch_seconds: float) -> None:
    reading = large._reading
    reading.forget()
    reading.read(tokens(64))

    def guess_on(stop: Callable[[], bool]) -> None:
        while reading.read(tokens(4), stop, every=True):
            pass

    stops(guess_on, batch_seconds / 2, 0.2 + batch_seconds / 8)


def test_on_a_slow_machine_less_is_read_in_one_go(large: LlamaEngine) -> None:
    reading = large._reading
    reading._rate = 5.0
    assert reading._portion(lambda: False) == 5 * PORTION_SECONDS
    reading._rate = 0.1
    assert reading._portion(lambda: False) == 16
    reading._rate = 1e6
    assert reading._portion(lambda: False) == 256
    reading._rate = 0.0
    assert reading._portion(never) == 256, "where nobody can stop it, there is no reason to"


def _asked(asked: Sequence[int]) -> Fitted:
    return Fitted([], list(asked), (), 0)


@pytest.mark.parametrize("other", ["a new question", "closing"])
def test_a_newer_question_or_closing_breaks_off_what_is_being_read(
    model: Path, batch_seconds: float, other: str
) -> None:
    engine = LlamaEngine.open(model)
    old = threading.Thread(target=lambda: list(engine._answer(_asked(tokens(1800)), 4, never)))
    old.start()
    time.sleep(batch_seconds / 2)
    with within(0.2 + batch_seconds / 4):
        if other == "closing":
            engine.close()
        else:
            assert list(engine._answer(_asked(tokens(8, seed=3)), 0, never)) == []
    old.join(60)
    engine.close()


def test_a_class_stops_reading_for_who_left(model: Path, batch_seconds: float) -> None:
    with opened(model, 2) as room:
        desk = Desk(room.sequences, 2, lambda token: False)
        desk._rate = 256 / batch_seconds * 20  # so that a portion is as long as can be
        heard: list[object] = []
        request = Request("Ana", tokens(1200), 4, lambda event: heard.append(event.get("end")))
        desk.ask(request)
        working = threading.Event()

        def work(stop: Callable[[], bool]) -> None:
            while desk.round():
                working.set()
                if stop():
                    desk.take_back(request)

        waiting = threading.Thread(target=work, args=(never,), daemon=True)
        waiting.start()
        assert working.wait(60)
        time.sleep(batch_seconds / 3)
        with within(0.2 + batch_seconds / 4):
            desk.take_back(request)
            waiting.join(60)
        assert heard[-1] == "stopped"
        past = room.sequences.past[0]
        assert past == tokens(1200)[: len(past)], "what was not finished is not in memory"
        assert room.sequences._api.llama_memory_seq_pos_max(room.sequences._memory(), 0) == len(past) - 1


def test_an_answer_has_a_time_limit() -> None:
    with LlamaEngine.open(MINI) as engine:
        engine.limit_seconds = 0.0
        with pytest.raises(ModelError, match="too slow"):
            list(engine.stream(STORY, max_tokens=8))
        engine.limit_seconds = 2.0
        answer = engine.stream(STORY, max_tokens=400)
        next(answer)
        time.sleep(2.1)
        assert list(answer) == []


def test_an_answer_in_a_class_has_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "LIMIT_SECONDS", 0.0)
    heard: list[dict[str, object]] = []
    with opened(MINI, 1) as room:
        desk = Desk(room.sequences, 1, room.vocabulary.ends)
        asked = room.vocabulary.conversation(STORY)
        desk.ask(Request("Ana", asked, 400, heard.append))
        while desk.round():
            time.sleep(0.01)
    assert heard[-1]["end"] in ("error", "done")
    assert sum("token" in event for event in heard) <= 1
    assert heard[-1]["end"] == "done" or str(heard[-1]["error"]).startswith("The model did not finish reading")


def test_a_model_that_hangs_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, ready, stopped = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(server, "STUCK_S", 0.5)
    monkeypatch.setattr(Sequences, "read", lambda *_: hanging.wait(20) and None)
    serving = threading.Thread(target=server.serve, args=(MINI, 1, tmp_path, lambda _: ready.set(), stopped))
    serving.start()
    assert ready.wait(60)
    try:
        with pytest.raises(ModelError, match="cut off"):
            list(SharedEngine(tmp_path, "Ana").stream(STORY, max_tokens=8, stop=never))
    finally:
        stopped.set()
        hanging.set()
        serving.join(30)


def lesson(question: str) -> list[Message]:
    return [{"role": "user", "content": f"{LESSON}Pregunta: {question}", "stable": len(LESSON)}]


def test_preparing_gives_way_to_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LlamaEngine.open(MINI) as engine:
        engine.keep_beginnings(tmp_path, "ab" * 32)
        answer = engine.stream(STORY, max_tokens=40)
        first = next(answer)
        assert engine.prepare(lesson("?")) is None, "somebody is being answered"
        rest = "".join(answer)
        assert first + rest == "".join(engine.stream(STORY, max_tokens=40))
        assert engine.prepare(lesson("?"), stop=lambda: engine._take_turn() < 0) is None, "a question came in between"
        assert engine.prepare(lesson("?")) is not None


def test_nobody_waits_for_the_disk_before_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    plain = Reading.save

    def save(self: Reading, path: Path, length: int) -> bool:
        written.append(time.monotonic())
        return plain(self, path, length)

    monkeypatch.setattr(Reading, "save", save)
    with LlamaEngine.open(MINI) as engine:
        engine.keep_beginnings(tmp_path, "ab" * 32)
        list(engine.stream(lesson("¿Qué toma la planta?"), max_tokens=12))
        ended = time.monotonic()
        then = list(engine.stream(lesson("¿Qué lleva el tallo?"), max_tokens=12))
    assert len(written) == 1
    assert written[0] > ended - 0.05
    with LlamaEngine.open(MINI) as engine:
        engine.keep_beginnings(tmp_path, "ab" * 32)
        assert list(engine.stream(lesson("¿Qué lleva el tallo?"), max_tokens=12)) == then
