"""What the model adds to practice on the screen: after the lesson's own, marked as the model's, and never in the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from coaching import EXERCISE, FAULTY, HINT, OF_HANDS, TELLING, Saying, coach_with
from edge.errors import ModelError
from fakes import FakeServices
from promptness import within
from tests.tui.screen import keys_of, press, pressing, settle, words_of
from tui.app import AmautaApp
from tui.drill import Drill, SumSource
from tui.extra import Extras
from tui.screens.exercise import ExerciseScreen

SIZE = (80, 24)

PLANTS = ("f6", "end", "enter")
"""The way to the exercises of the lesson about plants; the first has two hints."""

USED_UP = (*PLANTS, "f8", "f8")
HANDS = ("f6", "end", "up", "enter")
"""The way to a lesson with one exercise, without hints."""

DONE = (*HANDS, "a", "enter")
OFFER = "Uno más, escrito por la computadora"
PLANTS_DONE = (*PLANTS, "b", "enter", ">15", "enter", "enter", ">raíz", "enter", "enter")


def coached(services: FakeServices, engine: Saying, *may: str) -> Saying:
    """Let this model write for Rosa."""
    services.fake_tutor.coach = coach_with(engine, *may)
    return engine


def hints_kept(services: FakeServices) -> list[int]:
    return [attempt.hints for attempt in services.store().attempts("rosa")]


async def begin_hint(pilot: Pilot[None]) -> None:
    """Ask for the model's hint and do not wait for it."""
    await press(pilot, *USED_UP)
    await pilot.press("f8")
    await pilot.pause(0.1)


async def until_stopped(engine: Saying) -> None:
    begun = time.monotonic()
    while not engine.stopped and time.monotonic() - begun < 10:
        await asyncio.sleep(0.005)


async def test_where_the_card_is_closed_there_is_no_sign_of_a_model(app: AmautaApp, rosa: FakeServices) -> None:
    engine = coached(rosa, Saying(hints=[HINT], exercises=[OF_HANDS]))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *USED_UP, "f8")
        assert "No hay más pistas. ¡Tú puedes!" in words_of(app)
        assert "F4" not in keys_of(app)
        assert keys_of(app)["Esc"] == "Volver"
        await press(pilot, "escape", *HANDS)
        assert "F8" not in keys_of(app)
        await press(pilot, "a", "enter")
        assert "Practicar más" in words_of(app)
        assert OFFER not in words_of(app)
    assert not engine.asked


async def test_after_the_written_hints_the_model_gives_its_own_with_its_source_and_it_counts(
    app: AmautaApp, rosa: FakeServices
) -> None:
    engine = coached(rosa, Saying(hints=[HINT]), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *USED_UP)
        assert not engine.asked, "the written ones never wait for it"
        await press(pilot, "f8")
        assert "Pista 2 de 2" in words_of(app)
        assert "Pista del modelo: Las hojas toman un gas del aire." in words_of(app)
        assert "La escribió la computadora a partir de la lección; puede equivocarse." in words_of(app)
        assert "Fuente: Cómo se alimentan las plantas F4 la abre" in words_of(app)
        await press(pilot, "f4")
        assert "Aquí lo explica la lección" in words_of(app)
        await press(pilot, "escape", "f8")
        assert "No hay más pistas. ¡Tú puedes!" in words_of(app)
        assert len(engine.asked) == 1, "one hint of the model an exercise"
        await press(pilot, "b")
        assert "¡Muy bien!" in words_of(app)
        assert hints_kept(rosa) == [3]
        await press(pilot, "enter")
        assert "Pista del modelo" not in words_of(app)
        assert "F4" not in keys_of(app)


async def test_an_exercise_without_written_hints_gets_the_models_at_once(app: AmautaApp, rosa: FakeServices) -> None:
    coached(rosa, Saying(hints=[{"hint": "El jabón quita los microbios."}]), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *HANDS)
        assert keys_of(app)["F8"] == "Pista"
        await press(pilot, "f8")
        assert "Pista del modelo: El jabón quita los microbios." in words_of(app)
        assert "F8" not in keys_of(app)
        await press(pilot, "a")
        assert hints_kept(rosa) == [1]


async def test_a_hint_that_gives_the_answer_away_is_never_shown_and_does_not_count(
    app: AmautaApp, rosa: FakeServices
) -> None:
    coached(rosa, Saying(hints=[TELLING]), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *USED_UP, "f8")
        assert "La computadora no logró una pista que pase la revisión." in words_of(app)
        assert "Pista del modelo" not in words_of(app)
        assert "F4" not in keys_of(app)
        await press(pilot, "f8", "b")
        assert hints_kept(rosa) == [2]


async def test_esc_stops_the_hint_within_200_milliseconds_and_the_exercise_stays(
    app: AmautaApp, rosa: FakeServices
) -> None:
    engine = coached(rosa, Saying(hints=[HINT, HINT], slow=True), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await begin_hint(pilot)
        assert "La computadora está escribiendo una pista… Esc para detenerla." in words_of(app)
        assert keys_of(app)["Esc"] == "Detener"
        assert "F8" not in keys_of(app)
        screen = app.screen
        assert isinstance(screen, ExerciseScreen)
        with within(0.2):
            await screen.action_stop()
            await until_stopped(engine)
        assert engine.stopped == 1
        await pilot.pause()
        assert "Detenido." in words_of(app)
        assert "Ejercicio 1 de 3" in words_of(app)
        assert keys_of(app)["Esc"] == "Volver"
        engine.hold.set()
        await settle(pilot)
        assert "Pista del modelo" not in words_of(app)
        await press(pilot, "f8")
        assert "Pista del modelo" in words_of(app), "it may be asked again"
        await press(pilot, "b")
        assert hints_kept(rosa) == [3]


async def test_the_screen_never_waits_an_answer_is_marked_while_the_model_writes(
    app: AmautaApp, rosa: FakeServices
) -> None:
    engine = coached(rosa, Saying(hints=[HINT], slow=True), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await begin_hint(pilot)
        await pilot.press("a")
        await pilot.pause(0.2)
        assert "Todavía no. Inténtalo otra vez." in words_of(app)
        assert "está escribiendo una pista" in words_of(app), "a wrong answer does not take the hint away"
        await pilot.press("b")
        await pilot.pause(0.2)
        assert "¡Bien! Lo lograste." in words_of(app)
        await until_stopped(engine)
        assert engine.stopped == 1
        engine.hold.set()
        await settle(pilot)
        assert "Pista del modelo" not in words_of(app)
        assert hints_kept(rosa) == [2, 2]


async def test_whoever_leaves_lets_the_model_stop(app: AmautaApp, rosa: FakeServices) -> None:
    engine = coached(rosa, Saying(hints=[HINT], slow=True), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await begin_hint(pilot)
        await pilot.press("f3")
        await until_stopped(engine)
        assert engine.stopped == 1


async def test_who_waits_for_the_class_sees_the_place(app: AmautaApp, rosa: FakeServices) -> None:
    engine = coached(rosa, Saying(hints=[HINT], slow=True, place=3), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await begin_hint(pilot)
        assert "Eres el número 3 en la fila: faltan unos 20 segundos. Esc para detenerla." in words_of(app)
        engine.hold.set()
        await settle(pilot)
        assert "Pista del modelo" in words_of(app)


async def test_a_model_that_fails_is_explained_and_the_practice_goes_on(app: AmautaApp, rosa: FakeServices) -> None:
    coached(rosa, Saying(trouble=ModelError("engine-lost")), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *USED_UP, "f8")
        assert "Se cortó la respuesta" in words_of(app)
        await press(pilot, "b")
        assert "¡Muy bien!" in words_of(app)


async def test_f5_reads_the_hints_that_are_shown_the_models_too(app: AmautaApp, rosa: FakeServices) -> None:
    coached(rosa, Saying(hints=[HINT]), "hint")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *USED_UP, "f8", "f5")
        assert rosa.fake_speaker.said[-3:] == [
            "Es el gas que nosotros soltamos al respirar.",
            "Su nombre empieza con la letra d.",
            "Las hojas toman un gas del aire.",
        ]


async def test_one_exercise_more_is_the_models_graded_as_any_other_and_not_kept(
    app: AmautaApp, rosa: FakeServices
) -> None:
    coached(rosa, Saying(exercises=[OF_HANDS]), "exercise")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DONE)
        before = rosa.store().attempts("rosa")
        await press(pilot, "down", "enter")
        assert "Ejercicio del modelo, escrito por la computadora: puede equivocarse." in words_of(app)
        assert "Las manos llevan microbios que no se ven." in words_of(app)
        assert "Fuente: Lavarse las manos para no enfermarse del estómago F4 la abre" in words_of(app)
        assert "¿Qué quitan el agua y el jabón? a) piedras b) microbios" in words_of(app)
        await press(pilot, "a")
        assert "Todavía no." in words_of(app)
        await press(pilot, "b")
        assert "¡Bien! Lo lograste. La lección dice:" in words_of(app)
        assert "No se guarda ni cuenta para tu progreso. Enter para seguir." in words_of(app)
        await press(pilot, "f4")
        assert "Amauta · Fuente" in words_of(app)
        await press(pilot, "escape", "enter")
        assert "De 1 ejercicio, 0 bien al primer intento. No se guarda ni cuenta para tu progreso." in words_of(app)
        assert rosa.store().attempts("rosa") == before
        assert OFFER not in words_of(app), "its only passage was written about"


async def test_when_no_exercise_passes_it_is_said_and_the_list_stays(app: AmautaApp, rosa: FakeServices) -> None:
    engine = coached(rosa, Saying(exercises=[FAULTY, FAULTY, FAULTY]), "exercise")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS_DONE, "down", "enter")
        assert "La computadora no logró un ejercicio que pase la revisión." in words_of(app)
        assert len(engine.asked) == 3, "each passage was tried"
        assert "Leer la lección" in words_of(app)
        assert OFFER not in words_of(app), "nothing is left to try"
        await press(pilot, "enter")
        assert "Ejercicio 1 de 3" in words_of(app)


async def test_esc_takes_a_wished_exercise_back(app: AmautaApp, rosa: FakeServices) -> None:
    engine = coached(rosa, Saying(exercises=[EXERCISE], slow=True), "exercise")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *DONE)
        await pilot.press("down", "enter")
        await pilot.pause(0.1)
        assert "La computadora está escribiendo un ejercicio…" in words_of(app)
        assert "Leer la lección" not in words_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "Detenido." in words_of(app)
        assert OFFER in words_of(app)
        await until_stopped(engine)
        assert engine.stopped == 1


def test_sums_stand_in_no_lesson_and_need_no_model(rosa: FakeServices) -> None:
    coached(rosa, Saying(), "hint", "exercise")
    source = SumSource("add", "es")
    extras = Extras(rosa, source)
    extras.look()
    assert not extras.has_exercise()
    assert not extras.has_hint(Drill(source, rosa.store(), "rosa", random=rosa.random, now=rosa.now))


STATES: dict[str, tuple[Saying, tuple[str, ...]]] = {
    "hint of the model": (Saying(hints=[HINT]), (*USED_UP, "f8")),
    "exercise of the model": (Saying(exercises=[OF_HANDS]), (*DONE, "down", "enter")),
}


@pytest.mark.parametrize("name", STATES)
def test_what_the_model_adds_looks_as_accepted(
    name: str, app: AmautaApp, rosa: FakeServices, snap_compare: Callable[..., bool]
) -> None:
    engine, keys = STATES[name]
    coached(rosa, engine, "hint", "exercise")
    assert snap_compare(app, terminal_size=SIZE, run_before=pressing(*keys))
