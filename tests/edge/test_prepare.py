"""Lessons are read ahead of time: a power cut takes nothing that is ready, the budget holds, and who has no model is told so."""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.learning.store import Store
from edge.library.folder import EMBEDDED
from edge.library.library import LessonRow, Library
from edge.llama.beginnings import SUFFIX, Beginnings, _checksum
from edge.llama.reading import Reading
from edge.settings import Settings, load
from edge.shared.wire import Place, announce
from edge.tutor import workshop
from edge.tutor.prepare import Progress, in_order, prepare, worked_with
from edge.tutor.reply import Reply
from school import school
from surviving import killed

NAMES = (
    "primaria/1-matematicas-contar-hasta-100",
    "primaria/4-ciencias-ciclo-del-agua",
    "primaria/1-ciencias-cinco-sentidos",
)
QUESTION = "¿Qué vende Rosa en el mercado?"


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch, shared_index: Path) -> Path:
    """Where a school keeps what was prepared."""
    monkeypatch.setenv("AMAUTA_CACHE", str(home / "cache"))
    monkeypatch.setenv("AMAUTA_LANG", "es")
    school(home)
    (home / "index").symlink_to(shared_index)
    return home / "cache" / "beginnings"


def done(home: Path, library: Library, stop: Callable[[], bool] = lambda: False, budget: int = 0) -> list[Progress]:
    settings = school_of(home)
    with workshop.open_model(settings, workshop.model_to_prepare(settings)) as engine:
        if budget and engine.beginnings:
            engine.beginnings = Beginnings(engine.beginnings.folder, engine.beginnings.key, budget)
        return list(prepare(engine, library, NAMES, stop))


def school_of(home: Path) -> Settings:
    return load({"AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"})


def test_what_was_prepared_is_not_read_again_by_who_asks(
    home: Path, folder: Path, library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "--lessons", *NAMES, "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["new"], told["there"], told["left"], told["ended"]) == (3, 0, 0, "done")
    assert "2 de 3: El ciclo del agua" in err
    assert told["bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    counts: list[int] = []
    plain = Reading.read
    monkeypatch.setattr(Reading, "read", lambda self, t, *a, **n: (counts.append(len(t)), plain(self, t, *a, **n))[1])
    reply = list(workshop.open_tutor(school_of(home), library).answer(QUESTION, lang="es", lesson=NAMES[0]))[-1]
    assert isinstance(reply, Reply)
    assert 0 < max(counts) < 60
    assert main(["prepare", "--lessons", *NAMES]) == 0
    assert "Lecciones preparadas ahora: 0; listas desde antes: 3." in capsys.readouterr().out


def test_where_no_model_may_answer_that_is_said_in_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("No hay nada que preparar: ningún modelo de esta computadora puede responder preguntas.\n")


def test_a_dry_run_reads_nothing_and_a_lesson_that_is_not_there_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "--dry-run"]) == 0
    assert "Prepararía: El ciclo del agua (primaria/4-ciencias-ciclo-del-agua)" in capsys.readouterr().out
    assert main(["prepare", "--lessons", "primaria/nada"]) == 1
    assert "primaria/nada" in capsys.readouterr().err
    assert not folder.exists()


def test_the_model_of_a_class_at_work_is_left_alone(home: Path, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        announce(home, Place(door.getsockname()[1], "00", "escuela"))
        with pytest.raises(ModelError, match="working for a class"):
            workshop.model_to_prepare(school_of(home))


def test_it_ends_when_the_budget_is_spent_and_keeps_what_it_made(home: Path, folder: Path, library: Library) -> None:
    whole = done(home, library)[-1]
    assert (whole.new, whole.ended) == (3, "done")
    for path in folder.iterdir():
        os.utime(path, (1, 1))
        path.rename(path.with_name(f"0{path.name}"))  # of another model: not used for longest
    budget = int(whole.size * 0.8)
    last = done(home, library, budget=budget)[-1]
    assert (last.new, last.left, last.ended) == (2, 1, "full")
    kept = list(folder.glob(f"*{SUFFIX}"))
    assert sum(path.stat().st_size for path in kept) <= budget
    again = done(home, library, budget=budget)[-1]
    assert (again.new, again.there, again.ended) == (0, 2, "full")


def test_it_stops_within_a_moment_in_the_middle_of_a_lesson(home: Path, folder: Path, library: Library) -> None:
    began: list[float] = []

    def stop() -> bool:
        began.append(time.monotonic())
        return len(began) > 12  # some of them while the first lesson is being read

    last = done(home, library, stop)[-1]
    assert time.monotonic() - began[12] < 1.0
    assert (last.new, last.ended) == (0, "stopped")
    assert list(folder.glob("*")) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_a_power_cut_at_any_instant_takes_nothing_that_is_ready_and_leaves_nothing_damaged(
    home: Path, folder: Path, library: Library
) -> None:
    chance = random.Random(3)
    ready: set[str] = set()
    cuts = 0
    for _ in range(int(os.environ.get("AMAUTA_KILLS", "5"))):
        cuts += killed(lambda: done(home, library), chance.uniform(0.1, 1.2))
        whole = {path.name for path in folder.glob(f"*{SUFFIX}")}
        assert ready <= whole
        for name in whole:
            assert _checksum(folder / name) == name.removesuffix(SUFFIX).rpartition("-")[2]
        ready = whole
    assert cuts > 0
    last = done(home, library)[-1]
    assert (last.new + last.there, last.left, last.ended) == (3, 0, "done")
    assert len(list(folder.glob(f"*{SUFFIX}"))) == 3


def row(name: str, grade: int, subject: str) -> LessonRow:
    return LessonRow("p", f"p/{name}", name, "es", grade, subject, 10, 1)


def test_tomorrow_wants_first_what_people_worked_with_and_what_comes_after_it() -> None:
    rows = [row("a", 1, "ciencias"), row("b", 1, "ciencias"), row("c", 1, "salud"), row("d", 2, "salud")]
    assert in_order(rows, []) == ["p/a", "p/b", "p/c", "p/d"]
    assert in_order(rows, ["p/c", "p/gone", "p/a"]) == ["p/c", "p/a", "p/b", "p/d"]


def test_what_people_worked_with_is_known_from_questions_and_exercises(home: Path) -> None:
    path = home / "amauta.db"
    assert worked_with(path) == []
    home.mkdir(parents=True)
    with Store.open(path) as store:
        store.add_learner("Rosa", "es", "rosa")
        for at, lesson in (("2026-03-01T08:00:00+00:00", "p/a"), ("2026-03-03T08:00:00+00:00", "p/b")):
            store.append_turn(learner="rosa", question="?", mode="bank", text="!", lesson=lesson, at=at)
        store.append_attempt(
            learner="rosa", lesson="p/c", item="i", given="1", right=True, hints=0, seconds=1.0, at="2026-03-02T08:00:00+00:00"
        )  # fmt: skip
    assert worked_with(path) == ["p/b", "p/c", "p/a"]
