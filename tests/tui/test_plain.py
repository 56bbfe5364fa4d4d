"""The line mode is the same tutor, without a screen."""

from __future__ import annotations

import io
from pathlib import Path

from edge.errors import SpeechError
from edge.settings import Settings, load
from fakes import FakeServices, learning
from tui.plain import run


def talk(services: FakeServices, *typed: str) -> str:
    """Type lines and return everything that was written."""
    target = io.StringIO()
    assert run(services, io.StringIO("".join(f"{line}\n" for line in typed)), target) == 0
    return target.getvalue()


def test_the_first_run_asks_for_language_and_name(home: Path) -> None:
    said = talk(FakeServices(Settings(home)), "2", "Ana", "0")
    assert "Como você se chama?" in said
    assert "Olá, Ana." in said
    assert said.endswith("Até logo.\n")
    assert load({"AMAUTA_HOME": str(home)}).lang == "pt"


def test_a_question_is_no_name(home: Path) -> None:
    said = talk(FakeServices(Settings(home)), "1", "¿Qué es un volcán?", "Ana", "0")
    assert "Eso parece una pregunta: «¿Qué es un volcán?».\nPrimero escribe tu nombre" in said
    assert "Hola, Ana." in said


def test_a_question_is_answered_with_its_source_which_can_be_read(home: Path) -> None:
    services = learning(home)
    said = talk(services, "¿Cómo se alimentan las plantas?", "fuente")
    assert "Las plantas fabrican su propio alimento en las hojas" in said
    assert "(Respuesta revisada, de tu biblioteca)" in said
    assert 'Fuente: Cómo se alimentan las plantas (escribe "fuente" para leerla)' in said
    assert "De aquí viene la respuesta:\nUna planta necesita tres cosas" in said


def test_what_is_not_in_the_library_is_said_plainly(home: Path) -> None:
    said = talk(learning(home), "¿xyz?", "fuente")
    assert "Prueba con otras palabras" in said
    assert "La última respuesta no tiene fuente." in said


def test_the_menu_takes_numbers_and_words_blind_to_accents(home: Path) -> None:
    for given in ("6", "ayuda", "AYUDA"):
        assert "Escribe una pregunta con tus palabras" in talk(learning(home), given)


def test_a_lesson_is_read_and_practised(home: Path) -> None:
    services = learning(home)
    said = talk(services, "1", "1", "si", "42")
    assert "A veces una columna pasa de nueve." in said
    assert "¡Muy bien!\n7 y 5 son 12" in said
    assert "De 1 ejercicio, 1 bien al primer intento." in said


def test_practice_has_hints_two_tries_and_reasons(home: Path) -> None:
    services = learning(home)
    said = talk(services, "practicar", "9", "pista", "a", "c", "volver", "3")
    assert "Pista 1 de 2: Es el gas" in said
    assert "Todavía no. Inténtalo otra vez.\nEl oxígeno es el gas que la planta suelta." in said
    assert "La respuesta es: dióxido de carbono" in said
    assert "0 bien de 2" in said


def test_settings_and_people_can_be_changed(home: Path) -> None:
    said = talk(learning(home), "5", "2", "", "4", "2", "Luz", "0")
    assert "Listo: Colores: Claros." in said
    assert "Hola, Luz." in said
    assert load({"AMAUTA_HOME": str(home)}).theme == "light"


def test_a_number_that_is_not_in_the_list_is_refused_and_asked_again(home: Path) -> None:
    assert "No hay ninguna opción «99»." in talk(learning(home), "1", "99", "")


def test_the_end_of_the_input_ends_politely_at_any_question(home: Path) -> None:
    for typed in ([], ["1"], ["2", "1"], ["4"], ["5"]):
        assert talk(learning(home), *typed).endswith("Hasta luego.\n")


def test_a_failure_is_one_clear_sentence_and_the_talk_goes_on(home: Path) -> None:
    said = talk(learning(home), "??", "plantas")
    assert "La pregunta está vacía: «??»." in said
    assert "fotosíntesis" in said


def test_listening_without_sound_says_so(home: Path) -> None:
    services = learning(home)
    services.fake_speaker.problem = SpeechError("sound-none")
    said = talk(services, "plantas", "escuchar")
    assert "Este equipo no tiene sonido." in said
    assert services.fake_speaker.said


def test_no_control_characters_reach_the_terminal(home: Path) -> None:
    said = talk(learning(home), "\x1b[31mrojo\x07", "1", "\x1b]0;x\x07")
    assert "\x1b" not in said
    assert "\x07" not in said


def test_turns_are_kept_as_on_the_screen(home: Path) -> None:
    services = learning(home)
    talk(services, "plantas")
    assert [turn.question for turn in FakeServices(services.settings).store().turns("rosa")] == ["plantas"]
