"""Asking: the answer comes with its source, can be stopped, heard, and opened."""

from __future__ import annotations

import asyncio
import time

from textual.events import Paste

from edge.errors import SpeechError
from edge.tutor.reply import Piece, Waiting
from fakes import FakeServices
from promptness import within
from tests.tui.screen import keys_of, press, settle, type_in, words_of
from tui.app import AmautaApp
from tui.screens.ask import AskScreen
from tui.widgets.prompt import PromptBox
from tui.widgets.turn import TurnView

SIZE = (80, 24)

PLANTS = "prueba/4-ciencias-plantas"


async def test_a_question_typed_at_home_is_answered_with_its_source(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter")
        assert "Tú: plantas Las plantas fabrican su propio alimento en las hojas" in words_of(app)
        assert "Respuesta revisada, de tu biblioteca" in words_of(app)
        assert "Fuente: Cómo se alimentan las plantas F4 la abre" in words_of(app)


async def test_what_is_not_in_the_library_is_said_plainly(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">xyz", "enter")
        assert "No lo encontré en tu biblioteca." in words_of(app)
        assert "Prueba con otras palabras" in words_of(app)
        assert "F4" not in keys_of(app)


async def test_a_sample_question_is_asked_with_arrows_and_enter(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f2", "up", "enter")
        assert len(rosa.fake_tutor.asked) == 1
        assert "Fuente:" in words_of(app)


async def test_esc_stops_an_answer_at_once_and_nothing_more_of_it_comes(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await type_in(pilot, "despacio")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert keys_of(app)["Esc"] == "Detener"
        begun = time.monotonic()
        await pilot.press("escape")
        await pilot.pause()
        assert "Detenido." in words_of(app)
        assert time.monotonic() - begun < 2  # pilot itself waits for the screen to be idle
        shown = words_of(app)
        rosa.fake_tutor.hold.set()
        await settle(pilot)
        assert words_of(app) == shown
        assert keys_of(app)["Esc"] == "Volver"


async def test_the_model_is_told_to_stop_within_200_milliseconds(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await type_in(pilot, "despacio")
        await pilot.press("enter")
        await pilot.pause(0.1)
        screen = app.screen
        assert isinstance(screen, AskScreen)
        begun = time.monotonic()
        with within(0.2):
            await screen.action_stop()
            while not rosa.fake_tutor.stopped and time.monotonic() - begun < 10:
                await asyncio.sleep(0.005)
        assert rosa.fake_tutor.stopped == 1


async def test_a_new_question_takes_the_place_of_one_still_being_answered(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await type_in(pilot, "despacio")
        await pilot.press("enter")
        await pilot.pause(0.1)
        await press(pilot, ">plantas", "enter")
        rosa.fake_tutor.hold.set()
        await settle(pilot)
        first, second = app.screen.query(TurnView)
        assert first.reply is None
        assert second.reply is not None
        assert "fotosíntesis" in second.reply.text


async def test_what_still_arrives_of_an_older_question_is_dropped(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", ">manos", "enter")
        app.screen.post_message(AskScreen.Came(1, Piece("Esto llega tarde.")))
        app.screen.post_message(AskScreen.Failed(1, "Esto falla tarde."))
        await settle(pilot)
        assert "Esto llega tarde." not in words_of(app)
        assert "microbios" in words_of(app)


async def test_f4_opens_the_source_and_esc_returns_to_the_talk(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "f4")
        assert "Amauta · Fuente" in words_of(app)
        assert "De aquí viene la respuesta" in words_of(app)
        assert "Una planta necesita tres cosas" in words_of(app)
        await press(pilot, "escape")
        assert "Tú: plantas" in words_of(app)


async def test_enter_on_the_source_line_opens_it_too(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "up", "enter")
        assert "De aquí viene la respuesta" in words_of(app)


async def test_the_talk_of_the_session_stays_while_one_looks_elsewhere(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "f3", "f2", ">manos", "enter")
        assert [view.question for view in app.screen.query(TurnView)] == ["plantas", "manos"]


async def test_every_answered_question_is_kept(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", ">xyz", "enter")
        kept = [(turn.question, turn.mode, turn.lesson) for turn in rosa.store().turns("rosa")]
        assert kept == [("xyz", "none", ""), ("plantas", "bank", PLANTS)]


async def test_a_failure_of_the_tutor_is_one_clear_sentence(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">??", "enter")
        assert "La pregunta está vacía: «??»." in words_of(app)
        await press(pilot, ">plantas", "enter")
        assert "fotosíntesis" in words_of(app)


async def test_even_a_bug_in_the_tutor_is_one_sentence_and_the_app_goes_on(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await type_in(pilot, "zancadilla")
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert "Algo falló dentro de Amauta: ValueError a bug nobody foresaw." in words_of(app)
        await press(pilot, ">plantas", "enter")
        assert "fotosíntesis" in words_of(app)


async def test_asking_about_one_lesson_and_about_everything_again(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f3", "end", "enter", "f2")
        assert "Sobre la lección: Cómo se alimentan las plantas" in words_of(app)
        await press(pilot, ">plantas", "enter")
        assert keys_of(app)["F2"] == "Preguntar de todo"
        await press(pilot, "f2", ">manos", "enter")
        assert rosa.fake_tutor.asked == [("plantas", PLANTS), ("manos", None)]
        assert "Sobre la lección" not in words_of(app)


async def test_f5_reads_the_answer_and_f5_again_is_silence(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter")
        assert keys_of(app)["F5"] == "Escuchar"
        await press(pilot, "f5")
        assert rosa.fake_speaker.said[0].startswith("Las plantas fabrican")
        assert keys_of(app)["F5"] == "Callar"
        await press(pilot, "f5")
        assert not rosa.fake_speaker.busy
        assert keys_of(app)["F5"] == "Escuchar"


async def test_esc_stops_the_voice_before_it_leaves_the_screen(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "f5", "escape")
        assert not rosa.fake_speaker.busy
        assert "Tú: plantas" in words_of(app)
        await press(pilot, "escape")
        assert "Hola, Rosa." in words_of(app)


async def test_a_computer_without_sound_says_so_once_and_goes_on(app: AmautaApp, rosa: FakeServices) -> None:
    rosa.fake_speaker.problem = SpeechError("sound-none")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "f5")
        assert "Este equipo no tiene sonido." in words_of(app)
        app.clear_notifications()
        await press(pilot, "f5")
        assert "Este equipo no tiene sonido." not in words_of(app)
        assert keys_of(app)["F5"] == "Escuchar"


async def test_a_hundred_thousand_letters_are_refused_clearly(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        app.screen.query_one(PromptBox).post_message(Paste("palabra " * 12_500))
        await press(pilot, "enter")
        assert "La pregunta tiene 99999 letras; son demasiadas." in words_of(app)
        assert rosa.store().turns("rosa") == []


async def test_a_passage_is_set_apart_from_the_sentence_that_answers(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">pasaje", "enter")
        assert "De tu biblioteca" in words_of(app)
        assert len(app.screen.query("MarkdownBlockQuote")) == 1


async def test_a_question_full_of_markup_and_control_characters_is_shown_as_typed(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f2")
        screen = app.screen
        assert isinstance(screen, AskScreen)
        screen.ask("[bold]hola[/] \x1b[31mrojo\x07")
        await settle(pilot)
        assert "Tú: [bold]hola[/]" in words_of(app)
        assert "\x1b" not in words_of(app)


async def test_who_waits_for_the_model_sees_the_place_and_the_time_going_by_and_can_take_the_question_back(
    app: AmautaApp, rosa: FakeServices
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await type_in(pilot, "fila")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "Eres el número 3 en la fila: faltan unos 20 segundos. Esc la retira." in words_of(app)
        view = app.screen.query_one(TurnView)
        view.wait(Waiting(1, 11.0))
        view._told_at -= 6  # the clock goes on
        await pilot.pause(1.1)
        assert "Eres el número 1 en la fila: faltan unos 5 segundos." in words_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "Detenido." in words_of(app)
        assert "fila:" not in words_of(app)
        begun = time.monotonic()
        while not rosa.fake_tutor.stopped and time.monotonic() - begun < 10:
            await asyncio.sleep(0.005)
        assert rosa.fake_tutor.stopped == 1


async def test_what_was_said_about_a_lesson_is_remembered_until_another_is_talked_about(
    app: AmautaApp, rosa: FakeServices
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter")
        ask = app.query_one_ask()
        ask.about_lesson(PLANTS, "Cómo se alimentan las plantas")
        for question in ("plantas", "xyz", "¿y por qué?"):
            await press(pilot, f">{question}", "enter")
        ask.about_lesson(PLANTS, "Cómo se alimentan las plantas")
        await press(pilot, ">plantas", "enter")
        ask.about_lesson("", "")
        await press(pilot, ">plantas", "enter")
    told = [[turn.question for turn in before] for before in rosa.fake_tutor.before]
    assert told == [[], [], ["plantas"], ["plantas"], ["plantas"], []]
    assert rosa.fake_tutor.before[2][0].answer.startswith("Las plantas fabrican")
