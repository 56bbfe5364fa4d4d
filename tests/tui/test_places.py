"""Finding one's way: first run, home, lessons, settings, people, help, small windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.settings import Settings, load
from fakes import FakeServices, learning
from tests.tui.screen import keys_of, press, settle, type_in, words_of
from tui import services as services_module
from tui.app import AmautaApp
from tui.widgets.choices import Choices
from tui.widgets.prompt import PromptBox

SIZE = (80, 24)


async def test_the_first_run_asks_for_language_and_name_and_nothing_else(home: Path) -> None:
    services = FakeServices(Settings(home))
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "Elige tu idioma" in words_of(app)
        await press(pilot, "down")
        assert "Escolha seu idioma" in words_of(app)
        await press(pilot, "enter")
        assert "Como você se chama?" in words_of(app)
        await press(pilot, "enter")
        assert "Como você se chama?" in words_of(app)
        await press(pilot, ">Ana", "enter")
        assert "Olá, Ana. O que você quer saber hoje?" in words_of(app)
        assert isinstance(app.focused, PromptBox)
    assert load({"AMAUTA_HOME": str(home)}).lang == "pt"


async def test_the_second_start_opens_home_for_who_learned_last(home: Path) -> None:
    first = learning(home)
    first.choose_learner(first.store().add_learner("Abel", "es", "abel"))
    first.close()
    app = AmautaApp(FakeServices(Settings(home, lang="es")), colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert "Hola, Abel." in words_of(app)


async def test_a_name_that_is_too_long_for_the_store_is_refused_clearly(home: Path) -> None:
    app = AmautaApp(FakeServices(Settings(home, lang="es")), colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        app.screen.query_one(PromptBox).max_length = 0
        app.screen.query_one(PromptBox).value = "x" * 100
        await press(pilot, "enter")
        assert "caben 60" in words_of(app)


async def test_everything_at_home_can_be_reached_with_arrows_and_enter(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        titles = ["Lecciones", "Practicar", "Progreso", "¿Quién aprende?", "Entregar", "Ajustes", "Ayuda"]
        for steps, title in enumerate(titles):
            await press(pilot, *["down"] * (4 + steps), "enter")
            assert f"Amauta · {title}" in words_of(app)
            await press(pilot, "escape")
            app.screen.query_one(PromptBox).focus()


async def test_a_question_can_begin_on_the_list(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "down", "down")
        assert isinstance(app.focused, Choices)
        await type_in(pilot, "hola")
        assert app.screen.query_one(PromptBox).value == "hola"


@pytest.mark.parametrize(
    ("key", "title"),
    [("f1", "Ayuda"), ("f2", "Preguntar"), ("f3", "Lecciones"), ("f6", "Practicar"), ("f7", "Progreso"),
     ("f9", "Ajustes")],
)  # fmt: skip
async def test_the_footer_tells_the_truth_about_every_f_key(app: AmautaApp, key: str, title: str) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        assert key.upper() in keys_of(app)
        assert "Esc" not in keys_of(app)
        await press(pilot, key)
        assert f"Amauta · {title}" in words_of(app)
        assert key.upper() not in keys_of(app)
        assert keys_of(app)["Esc"] == "Volver"
        await press(pilot, "escape")
        assert "Hola, Rosa." in words_of(app)


@pytest.mark.parametrize("key", ["f10", "ctrl+q"])
async def test_f10_and_its_twin_quit_and_close_everything(app: AmautaApp, rosa: FakeServices, key: str) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
    assert app.return_code == 0
    assert rosa.fake_library.closed


async def test_ctrl_c_says_how_to_quit(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "down", "ctrl+c")
        assert "Para salir presiona F10 o Ctrl+Q." in words_of(app)


async def test_lessons_are_found_by_grade_and_by_word(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f3", "right", "right")
        assert "Lavarse las manos" in words_of(app)
        assert "Sumar llevando" not in words_of(app)
        await press(pilot, "left", "left", ">matematicas")
        assert "Sumar llevando" in words_of(app)
        assert "Lavarse las manos" not in words_of(app)
        await press(pilot, *["backspace"] * 11, ">zzz")
        assert "Ninguna lección tiene esas palabras." in words_of(app)


async def test_a_lesson_is_read_heard_and_practised(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f3", "end", "enter")
        assert "Ciencias · 4.º grado · 20 minutos" in words_of(app)
        await press(pilot, "f5")
        assert "Las plantas no van al mercado ni a la cocina." in rosa.fake_speaker.said
        await press(pilot, "escape", "f6")
        assert "Ejercicio 1 de 3" in words_of(app)
        await press(pilot, "escape")
        assert "Amauta · Lección" in words_of(app)


async def test_settings_are_kept_at_once_and_change_every_screen(app: AmautaApp, home: Path) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f9", "right")
        assert "Amauta · Ajustes" in words_of(app)
        assert "Idioma < Português >" in words_of(app)
        await press(pilot, "down", "enter", "down", "left")
        assert app.theme == "amauta-light"
        kept = load({"AMAUTA_HOME": str(home)})
        assert (kept.lang, kept.theme, kept.sound) == ("pt", "light", False)
        await press(pilot, "escape")
        assert "Olá, Rosa." in words_of(app)


async def test_without_voice_the_key_to_listen_is_gone(home: Path) -> None:
    services = learning(home)
    services.settings = Settings(home, lang="es", sound=False)
    app = AmautaApp(services, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter")
        assert "F5" not in keys_of(app)


async def test_a_setting_that_cannot_be_kept_is_one_clear_sentence(
    app: AmautaApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(settings: Settings) -> None:
        raise EdgeError("settings-unwritable", path=settings.home, reason="disco lleno")

    monkeypatch.setattr(services_module.kept, "save", refuse)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f9", "down", "right")
        assert "disco lleno" in words_of(app)
        assert app.theme == "amauta-dark"


async def test_another_learner_begins_with_an_empty_talk(app: AmautaApp, rosa: FakeServices) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, ">plantas", "enter", "escape", *["down"] * 7, "enter", "down", ">Luz", "enter")
        assert "Hola, Luz." in words_of(app)
        await press(pilot, "f2")
        assert "Tú:" not in words_of(app)
        assert rosa.learner is not None
        assert [learner.name for learner in rosa.store().learners()] == ["Luz", "Rosa"]
        await press(pilot, "escape", *["down"] * 7, "enter", "down", "enter")
        assert "Hola, Rosa." in words_of(app)


async def test_a_small_window_is_told_so_until_it_grows(app: AmautaApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f3")
        await pilot.resize_terminal(50, 12)
        await settle(pilot)
        assert "mide 50 por 12 letras" in words_of(app)
        await press(pilot, "f6")
        await pilot.resize_terminal(100, 30)
        await settle(pilot)
        assert "Amauta · Lecciones" in words_of(app)


async def test_without_colours_the_chosen_line_still_stands_out(
    rosa: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = AmautaApp(rosa)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "f9")
        choices = app.screen.query_one(Choices)
        style = choices.get_visual_style("option-list--option", "option-list--option-highlighted")
        assert style.underline
        assert style.bold


async def test_an_unreadable_store_ends_with_a_sentence_instead_of_a_screen(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "amauta.db").write_bytes(b"this is no database" * 500)
    app = AmautaApp(FakeServices(Settings(home, lang="es")), colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
    assert app.return_code == 1
    assert app.failure is not None
    assert "dañado" in app.failure.say("es")
