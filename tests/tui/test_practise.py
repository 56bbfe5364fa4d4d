"""Practising: marked exactly, explained, and kept before it is confirmed."""

from __future__ import annotations

import sqlite3

from edge.learning.store import Store
from fakes import FakeServices
from tests.tui.screen import keys_of, press, settle, words_of
from tui.app import AmautaApp

SIZE = (80, 24)

REFUSE = "SELECT raise(FAIL, 'the disk said no');"

PLANTS = ("f6", "end", "enter")


def kept(services: FakeServices) -> list[tuple[str, str, bool, int]]:
    """Read the answers with a connection of our own: only what is on disk is there."""
    with Store.open(services.settings.store_path) as store:
        return [(a.item, a.given, a.right, a.hints) for a in store.attempts("rosa")]


async def test_a_right_answer_is_kept_praised_and_explained(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS, "b")
        assert "¡Muy bien! La planta toma dióxido de carbono y agua" in words_of(app)
        assert "Guardado. Enter para seguir." in words_of(app)
        assert kept(rosa) == [("prueba/4-ciencias-plantas/1", "dióxido de carbono", True, 0)]
        await press(pilot, "enter")
        assert "Ejercicio 2 de 3" in words_of(app)


async def test_a_wrong_answer_says_what_is_wrong_and_may_be_tried_again(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS, "a")
        assert "Todavía no. Inténtalo otra vez. El oxígeno es el gas que la planta suelta." in words_of(app)
        await press(pilot, "down", "enter")
        assert "¡Bien! Lo lograste." in words_of(app)
        assert [right for _, _, right, _ in kept(rosa)] == [False, True]


async def test_after_two_wrong_answers_the_right_one_is_shown(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS, "a", "c")
        assert "No era esa. La respuesta es: dióxido de carbono" in words_of(app)
        assert keys_of(app)["Enter"] == "Seguir"


async def test_hints_come_one_by_one_and_are_counted(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS)
        assert keys_of(app)["F8"] == "Pista"
        await press(pilot, "f8")
        assert "Pista 1 de 2: Es el gas que nosotros soltamos" in words_of(app)
        assert "Pista 2" not in words_of(app)
        await press(pilot, "f8", "f8")
        assert "Pista 2 de 2" in words_of(app)
        assert "No hay más pistas." in words_of(app)
        await press(pilot, "b")
        assert kept(rosa)[0][3] == 2
        assert "F8" not in keys_of(app)


async def test_numbers_and_words_are_typed(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS, "b", "enter", ">15", "enter")
        assert "5 veces 3 cm son 15 cm." in words_of(app)
        await press(pilot, "enter", ">raiz", "enter")
        assert "¡Muy bien!" in words_of(app)
        assert "raíz" in words_of(app)  # the accent it lacked
        assert all(right for _, _, right, _ in kept(rosa))


async def test_a_round_ends_with_its_score_and_what_to_do_next(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f6", "end", "up", "enter", "b", "a", "enter")
        assert "¡Terminaste! De 1 ejercicio, 0 bien al primer intento." in words_of(app)
        await press(pilot, "down", "enter")
        assert "Amauta · Lección" in words_of(app)
        await press(pilot, "escape", "up", "enter")
        assert "Ejercicio 1 de 1" in words_of(app)


async def test_sums_are_made_on_the_spot(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f6", "enter")
        assert "Amauta · Cuentas" in words_of(app)
        assert "Ejercicio 1 de 8 ¿Cuánto es" in words_of(app)
        await press(pilot, "a")
        assert kept(rosa)[0][0].startswith("exercise/add-1/")


async def test_an_answer_that_cannot_be_kept_is_not_confirmed(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *PLANTS)
        with sqlite3.connect(rosa.settings.store_path) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT raise(FAIL, 'disk'); END")
        await press(pilot, "b")
        assert "No se pudo guardar." in words_of(app)
        assert "Muy bien" not in words_of(app)
        with sqlite3.connect(rosa.settings.store_path) as other:
            other.execute("DROP TRIGGER full")
        other.close()
        await press(pilot, "b")
        assert "¡Muy bien!" in words_of(app)
        assert len(kept(rosa)) == 1


async def test_progress_shows_what_was_practised_and_practises_it_again(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f7")
        assert "Todavía no hay ejercicios." in words_of(app)
        await press(pilot, *PLANTS, "b", "enter", ">15", "enter", "f7")
        assert "2 ejercicios respondidos, 2 bien." in words_of(app)
        assert "2 bien de 2" in words_of(app)
        await press(pilot, "enter")
        assert "Ejercicio 1 de 3" in words_of(app)


async def test_a_question_asked_before_can_be_asked_again_from_progress(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "f7", "enter")
        assert words_of(app).count("Tú: plantas") == 2
