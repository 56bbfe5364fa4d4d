"""One model answers a class: each pupil the same words as alone, in turn, and nobody is held up by another."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.llama.brake import never
from edge.llama.sequences import Sequences
from edge.shared import wire
from edge.shared.client import SharedEngine
from edge.shared.desk import Desk, Request
from edge.shared.room import opened
from edge.shared.server import serve
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine
from edge.tutor.prompt import grounded
from edge.tutor.reply import Waiting
from promptness import within

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
PASSAGE = "La llama vive en la sierra. Come pastos duros y aguanta el frío. Su lana sirve para hacer ponchos. " * 3
QUESTIONS = [
    f"¿{word} la llama?" for word in ("Dónde vive", "Qué come", "Cómo es", "Para qué sirve", "Qué hace", "Cuándo come")
]


def messages(question: str) -> list[Message]:
    return grounded(question, [PASSAGE], "es")


def alone(questions: list[str], most: int = 24) -> list[str]:
    with LlamaEngine.open(MINI) as engine:
        return ["".join(engine.stream(messages(question), max_tokens=most)) for question in questions]


class Class:
    """An engine served from a thread of this process."""

    def __init__(self, home: Path, seats: int) -> None:
        self.home = home
        self._stopped, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=serve, args=(MINI, seats, home, lambda _: ready.set(), self._stopped), daemon=True
        )
        self._thread.start()
        assert ready.wait(60)

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(30)


@pytest.fixture
def four(tmp_path: Path) -> Iterator[Class]:
    served = Class(tmp_path, seats=4)
    yield served
    served.close()


def test_a_class_gets_the_answers_that_each_would_get_alone(four: Class) -> None:
    with ThreadPoolExecutor(6) as pupils:
        answers = pupils.map(
            lambda q: "".join(
                e
                for e in SharedEngine(four.home, q).stream(messages(q), max_tokens=24, stop=never)
                if isinstance(e, str)
            ),
            QUESTIONS,
        )
        assert list(answers) == alone(QUESTIONS)


@pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "all in one instant"])
def test_what_all_have_in_common_is_read_once(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    plain = Sequences.read

    def read(self: Sequences, parts: list, *args: object) -> dict[int, int] | None:  # type: ignore[type-arg]
        counts.append(sum(len(part.tokens) for part in parts))
        return plain(self, parts, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Sequences, "read", read)
    with opened(MINI, 3) as room:
        desk = Desk(room.sequences, 3, room.vocabulary.ends)
        ends: list[object] = []
        for question in QUESTIONS[:3]:
            tokens = room.vocabulary.tokens_of(room.vocabulary.prompt_of(messages(question)), special=True)
            desk.ask(Request(question, tokens, 1, lambda event: ends.append(event.get("end"))))
            while not at_once and desk.round():
                pass
        while desk.round():
            pass
    assert ends.count("done") == 3
    whole = len(tokens)
    assert sum(counts) < whole + 2 * whole // 3, "the second and the third read only their question"


def test_who_waits_is_told_the_place_and_who_leaves_makes_room(tmp_path: Path) -> None:
    served = Class(tmp_path, seats=1)
    try:
        story: list[Message] = [{"role": "user", "content": "Cuenta un cuento largo."}]
        first = SharedEngine(tmp_path, "a").stream(story, max_tokens=400, stop=never)
        next(first)
        second, third = SharedEngine(tmp_path, "b"), SharedEngine(tmp_path, "c")
        with ThreadPoolExecutor(2) as pupils:
            asked = [
                pupils.submit(lambda e=each: list(e.stream(messages(QUESTIONS[0]), max_tokens=8, stop=never)))
                for each in (second, third)
            ]
            time.sleep(0.3)
            began = time.monotonic()
            first.close()  # the pupil pressed Esc
            answers = [each.result(20) for each in asked]
        told = [event for answer in answers for event in answer if isinstance(event, Waiting)]
        texts = ["".join(event for event in answer if isinstance(event, str)) for answer in answers]
        assert texts[0] == texts[1] != ""
        assert time.monotonic() - began < 10
        assert {event.place for event in told} == {1, 2}
        assert all(event.seconds > 0 for event in told)
    finally:
        served.close()


def test_stop_ends_the_answer_at_once_and_the_engine_goes_on(four: Class) -> None:
    stopped = threading.Event()
    story: list[Message] = [{"role": "user", "content": "Cuenta un cuento largo."}]
    answer = SharedEngine(four.home, "a").stream(story, max_tokens=400, stop=stopped.is_set)
    next(answer)
    stopped.set()
    with within(0.5):
        list(answer)
    assert list(SharedEngine(four.home, "a").stream(messages(QUESTIONS[0]), max_tokens=8, stop=never))


def test_a_question_that_is_too_long_is_said_in_a_sentence(four: Class) -> None:
    with pytest.raises(ModelError, match="Ask a shorter question"):
        list(SharedEngine(four.home, "a").stream(messages("palabra " * 4000), max_tokens=8, stop=never))


def test_strangers_on_this_machine_and_nonsense_get_no_answer(four: Class) -> None:
    place = wire.found(four.home)
    assert place is not None
    for said in (
        b"\n",
        b"{}\n",
        b"[]\n",
        wire.line({"secret": "0" * 32, "who": "x", "messages": [], "most": 1}),
        b"\xff\n",
    ):
        with socket.create_connection((wire.HOST, place.port), 5) as link:
            link.sendall(said)
            assert link.recv(100) == b""
    assert (four.home / wire.FILE).stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert list(SharedEngine(four.home, "a").stream(messages(QUESTIONS[0]), max_tokens=4, stop=never))


def test_when_memory_is_full_old_conversations_go_first_and_then_the_youngest_gives_way() -> None:
    with opened(MINI, 2) as room:
        desk = Desk(room.sequences, 2, room.vocabulary.ends)
        tokens = room.vocabulary.tokens_of("La planta toma agua del suelo por la raíz. " * 200)[: room.most_tokens - 4]
        ends: dict[int, object] = {}
        for number in range(6):
            own = [tokens[number], *tokens[number:]][: room.most_tokens - 4]
            desk.ask(Request(str(number), own, 2, lambda event, n=number: ends.__setitem__(n, event.get("end"))))
        while desk.round():
            pass
    assert sum(end == "done" for end in ends.values()) >= 3
    assert set(ends.values()) <= {"done", "error"}


@pytest.mark.slow
def test_a_killed_engine_is_noticed_and_the_next_one_found(home: Path) -> None:
    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tui", "engine", "--model", "mini", "--seats", "2", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["seats"] == 2
        return process

    with pytest.raises(ModelError, match="not ready"):
        list(SharedEngine(home, "a").stream(messages(QUESTIONS[0]), max_tokens=4, stop=never))
    first = start()
    story: list[Message] = [{"role": "user", "content": "Cuenta un cuento largo."}]
    answer = SharedEngine(home, "a").stream(story, max_tokens=400, stop=never)
    next(answer)
    first.kill()
    first.communicate()
    with pytest.raises(ModelError, match="cut off"):
        list(answer)
    with pytest.raises(ModelError, match="not ready"):
        list(SharedEngine(home, "a").stream(story, max_tokens=4, stop=never))
    second = start()
    assert list(SharedEngine(home, "a").stream(messages(QUESTIONS[0]), max_tokens=4, stop=never))
    second.send_signal(signal.SIGTERM)
    _, said = second.communicate(timeout=20)
    assert second.returncode == 0
    assert "Ctrl+C" in said
    assert wire.found(home) is None


def test_bad_input_is_said_in_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "--model", "mini", "--seats", "99"]) == 1
    assert "99" in capsys.readouterr().err
    assert main(["engine"]) == 1
    assert "boletín" in capsys.readouterr().err
