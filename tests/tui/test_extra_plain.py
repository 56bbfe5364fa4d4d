"""What the model adds to practice, in lines; Ctrl+C ends its writing and nothing else."""

from __future__ import annotations

import io
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coaching import EXERCISE, FAULTY, HINT, TELLING, Saying, coach_with
from fakes import FakeServices, learning
from tui.plain import run

PLANTS = ("practicar", "9")
DONE = (*PLANTS, "b", "", "15", "", "raíz")
OFFER = "¿Uno más, escrito por la computadora con esta lección?"


def talk(services: FakeServices, *typed: str) -> str:
    target = io.StringIO()
    assert run(services, io.StringIO("".join(f"{line}\n" for line in typed)), target) == 0
    return target.getvalue()


def coached(home: Path, engine: Saying, *may: str) -> FakeServices:
    services = learning(home)
    services.fake_tutor.coach = coach_with(engine, *may)
    return services


def attempts(services: FakeServices) -> list[tuple[str, int]]:
    return [(a.item.rpartition("/")[2], a.hints) for a in FakeServices(services.settings).store().attempts("rosa")]


def test_where_the_card_is_closed_nothing_is_said_of_a_model(home: Path) -> None:
    engine = Saying()
    said = talk(coached(home, engine), *PLANTS, "pista", "pista", "pista", "b", "", "15", "", "raíz")
    assert "No hay más pistas." in said
    assert "computadora" not in said
    assert OFFER not in said
    assert not engine.asked


def test_the_models_hint_comes_after_the_written_ones_with_its_source_and_counts(home: Path) -> None:
    services = coached(home, Saying(hints=[HINT]), "hint")
    said = talk(services, *PLANTS, "pista", "pista", "fuente", "pista", "fuente", "pista", "b")
    _, _, after = said.partition("Pista 2 de 2")
    assert "La computadora está escribiendo una pista… Ctrl+C para detenerla." in after
    assert "Pista del modelo: Las hojas toman un gas del aire.\n(La escribió la computadora" in after
    assert 'Fuente: Cómo se alimentan las plantas (escribe "fuente" para leerla)' in after
    assert after.count("Aquí lo explica la lección:") == 1, "before the hint the word was an answer"
    assert "No hay más pistas." in after
    assert attempts(services) == [("1", 2), ("1", 3)]


def test_a_hint_that_gives_the_answer_away_is_never_written(home: Path) -> None:
    services = coached(home, Saying(hints=[TELLING]), "hint")
    said = talk(services, *PLANTS, "pista", "pista", "pista", "b")
    assert "La computadora no logró una pista que pase la revisión. ¡Tú puedes!" in said
    assert TELLING["hint"] not in said
    assert attempts(services) == [("1", 2)]


def test_one_exercise_more_is_shown_with_its_passage_marked_and_not_kept(home: Path) -> None:
    services = coached(home, Saying(exercises=[EXERCISE, FAULTY, FAULTY]), "exercise")
    said = talk(services, *DONE, "sí", "b", "sí", "0")
    assert OFFER in said
    assert "Ejercicio del modelo, escrito por la computadora: puede equivocarse.\n" in said
    assert "Una planta necesita tres cosas: luz del sol, agua y aire." in said
    assert "  b) agua\n" in said
    assert "¡Muy bien!\nLa lección dice: La raíz toma el agua de la tierra." in said
    assert "No se guarda ni cuenta para tu progreso." in said
    assert "La computadora no logró un ejercicio que pase la revisión." in said
    assert attempts(services) == [("1", 0), ("2", 0), ("3", 0)]


def test_enter_is_enough_to_want_no_more(home: Path) -> None:
    engine = Saying(exercises=[EXERCISE])
    assert talk(coached(home, engine, "exercise"), *DONE, "", "0").endswith("Hasta luego.\n")
    assert not engine.asked


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl+C is heard, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="Windows has no signal that comes by itself")
def test_ctrl_c_ends_the_writing_at_once_and_the_exercise_goes_on(home: Path) -> None:
    engine = Saying(hints=[HINT], slow=True)
    services = coached(home, engine, "hint")
    pressed: list[float] = []

    def press() -> None:
        while not engine.asked:
            time.sleep(0.005)
        pressed.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=press).start()
    said = talk(services, *PLANTS, "pista", "pista", "pista", "b", "")
    taken = time.monotonic() - pressed[0]
    assert "Detenido." in said
    assert "¡Muy bien!" in said
    assert taken < 5, "the rest of the talk was gone through"
    assert engine.stopped == 1
    assert attempts(services) == [("1", 2)]
