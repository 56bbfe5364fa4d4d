"""The beginning of a conversation is read once; a later start takes it from disk, or reads it again if it is not right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.llama.beginnings import LEAST_TOKENS, SUFFIX, Beginnings, _checksum
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
LESSON = "Texto: " + "La planta toma agua del suelo por la raíz y la lleva por el tallo hasta las hojas. " * 12
SHA256 = "ab" * 32


def asked(question: str, lesson: str = LESSON) -> list[Message]:
    return [
        {"role": "system", "content": "Eres Amauta."},
        {"role": "user", "content": f"{lesson}\nPregunta: {question}", "stable": len(lesson)},
    ]


def opened(folder: Path, sha256: str = SHA256) -> LlamaEngine:
    engine = LlamaEngine.open(MINI)
    engine.keep_beginnings(folder, sha256)
    return engine


def answer(engine: LlamaEngine, question: str) -> str:
    return "".join(engine.stream(asked(question), max_tokens=12))


def test_a_fresh_start_reads_only_the_question(tmp_path: Path, reads: list[int]) -> None:
    with LlamaEngine.open(MINI) as engine:
        plain = answer(engine, "¿Qué toma la planta?")
    with opened(tmp_path) as engine:
        assert engine.prepare(asked("¿Y qué más?"))
    reads.clear()
    with opened(tmp_path) as engine:
        assert answer(engine, "¿Qué toma la planta?") == plain
    assert max(reads) < 40, "two hundred tokens of the lesson came from disk"
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 1


def test_the_first_question_keeps_the_lesson_for_the_next_start(tmp_path: Path, reads: list[int]) -> None:
    with opened(tmp_path) as engine:
        first = answer(engine, "¿Qué toma la planta?")
    reads.clear()
    with opened(tmp_path) as engine:
        assert answer(engine, "¿Qué toma la planta?") == first
    assert max(reads) < 40


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_thrown_away_and_read_anew(tmp_path: Path, damage: str, reads: list[int]) -> None:
    with opened(tmp_path) as engine:
        first = answer(engine, "¿Qué toma la planta?")
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"flip": content, "cut": content[:-100], "empty": b""}[damage])
    reads.clear()
    with opened(tmp_path) as engine:
        assert answer(engine, "¿Qué toma la planta?") == first
    assert max(reads) > 100
    (again,) = tmp_path.glob(f"*{SUFFIX}")
    assert again.stat().st_size == len(content)


def test_another_model_another_lesson_or_another_room_finds_nothing(tmp_path: Path, reads: list[int]) -> None:
    with opened(tmp_path) as engine:
        answer(engine, "¿Qué toma la planta?")
    with opened(tmp_path, "cd" * 32) as engine:
        reads.clear()
        answer(engine, "¿Qué toma la planta?")
        assert max(reads) > 100
    with LlamaEngine.open(MINI, context_tokens=400) as engine:
        engine.keep_beginnings(tmp_path, SHA256)
        reads.clear()
        answer(engine, "¿Qué toma la planta?")
        assert max(reads) > 100


def test_what_was_used_least_lately_goes_when_the_budget_is_spent(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        lessons = [f"{number} {LESSON}" for number in range(3)]
        engine.prepare(asked("?", lessons[0]))
        (first,) = tmp_path.glob(f"*{SUFFIX}")
        engine.beginnings = Beginnings(tmp_path, engine.beginnings.key, int(2.5 * first.stat().st_size))  # type: ignore[union-attr]
        engine.prepare(asked("?", lessons[1]))
        (second,) = set(tmp_path.glob(f"*{SUFFIX}")) - {first}
        os.utime(first, (time.time() - 10, time.time() - 10))
        os.utime(second, (time.time() - 100, time.time() - 100))
        engine.prepare(asked("?", lessons[2]))
    assert first.exists()
    assert not second.exists()
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 2


def test_a_disk_that_refuses_costs_time_only(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"")
    with opened(place) as engine:
        assert not engine.prepare(asked("?"))
        assert answer(engine, "¿Qué toma la planta?")


def test_short_beginnings_are_not_worth_a_file(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        assert not engine.prepare(asked("?", "Texto: corto."))
        assert len(engine.tokens_of("Texto: corto.")) < LEAST_TOKENS
    assert not list(tmp_path.iterdir())


def test_preparing_stops_when_asked(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        assert not engine.prepare(asked("?"), stop=lambda: True)
    assert not list(tmp_path.glob(f"*{SUFFIX}"))


@pytest.mark.slow
def test_a_power_cut_while_keeping_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import test_beginnings as t\n"
        "engine = t.opened(Path(sys.argv[1])); print('open', flush=True)\n"
        "for n in range(1000): engine.prepare(t.asked('?', f'{n} {t.LESSON}'))"
    )
    chance = random.Random(6)
    for _ in range(4):
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), *sys.path))}
        command = [sys.executable, "-c", script, str(tmp_path)]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"open\n"
            time.sleep(chance.uniform(0.05, 0.9))
            child.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    kept = list(tmp_path.glob(f"*{SUFFIX}"))
    assert kept
    for left in tmp_path.glob("*.new"):
        os.utime(left, (0, 0))  # ten minutes later nobody writes it any more
    with opened(tmp_path) as engine:
        engine.prepare(asked("?", f"new {LESSON}"))
    assert not list(tmp_path.glob("*.new"))
    assert all(_checksum(path) == path.stem.rpartition("-")[2] for path in tmp_path.glob(f"*{SUFFIX}"))
