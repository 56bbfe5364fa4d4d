"""A community's words on the health worker's screens: shown with their author, marked where missing, read by their own voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.errors import SpeechError
from edge.settings import Settings
from edge.speech.espeak import VOICES
from edge.triage.run import make_run
from fakes import FakeServices, FakeSpeaker
from tests.edge.test_triage_overlay import LESSON, TABLE, write
from tests.tui.screen import keys_of, press, settle, words_of, work_done
from tui.app import AmautaApp
from tui.screens.lesson import LessonScreen

SIZE = (100, 40)
COUGH = ("down", "enter", "enter")


class Heard(FakeServices):
    """Services that remember of which language each voice was that was opened."""

    def __init__(self, settings: Settings) -> None:
        self.langs: list[str] = []
        super().__init__(settings)

    def _voice(self, settings: Settings, lang: str, on_problem: Callable[[SpeechError], None]) -> FakeSpeaker:
        self.langs.append(lang)
        return super()._voice(settings, lang, on_problem)


@pytest.fixture
def post(home: Path, tmp_path: Path) -> Any:
    """A health post with made-up words for one table, a title and a step of it missing, and one teaching text."""
    path = write(tmp_path, [TABLE, LESSON], without=r"severe-pneumonia\.(title|do\.2)|text\.3$")
    assert main(["clinic", "overlay", "add", str(path)]) == 0
    services = Heard(Settings(home, lang="es", place="clinic"))
    services.choose_learner(services.store().add_learner("Rosa", "es", "rosa"))
    yield services
    services.close()


async def test_questions_and_steps_are_in_their_words_and_what_is_missing_is_marked(post: Heard) -> None:
    app = AmautaApp(post, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, ">14", "enter")
        assert "SIGNO DE PELIGRO Zub" in words_of(app)
        assert "F5" not in keys_of(app), "there is no voice for these words"
        await press(pilot, "s")
        said = words_of(app)
        assert "EMERGENCIA: actuar y referir ahora mismo [es] Neumonía grave" in said
        assert "1. Zub" in said
        assert "2. [es] Dé la primera dosis" in said
        assert "Palabras en Zubzub (qaa): Zub A., CC0-1.0; NADIE LAS REVISÓ todavía" in said
        assert "F5" not in keys_of(app)
        (finding,) = post.desk.visit.findings
        run = make_run(finding.table, finding.answers, post.now()).facts()
        assert run["overlay"]["id"] == "zub-zub"


async def test_a_voice_of_that_language_reads_its_words_and_no_others(
    post: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VOICES, "qaa", "es-419")
    app = AmautaApp(post, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *COUGH, "f5")
        await work_done(pilot)
        assert post.langs == ["qaa"]
        assert all(sentence.startswith("Zub") for sentence in post.fake_speaker.said)
        await press(pilot, "f5", ">14", "enter", "s", "f5")
        await work_done(pilot)
        assert len(post.fake_speaker.said) > 2
        assert not any("[es]" in sentence or "EMERGENCIA" in sentence for sentence in post.fake_speaker.said)


async def test_a_teaching_text_is_read_in_their_words_and_a_cited_passage_as_it_stands(post: Heard) -> None:
    from edge.library.folder import CLINIC, read_head, read_lesson

    lesson = read_lesson(read_head(CLINIC / "ensenanza", []), LESSON)
    app = AmautaApp(post, colours="full")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(pilot)
        await app.push_screen(LessonScreen(post, lesson))
        await settle(pilot)
        said = words_of(app)
        assert said.count("Zub") > 5
        assert "[es] Lávese las manos" in said
        assert "Zub A." in said
        await app.push_screen(LessonScreen(post, lesson, passage="El suero oral las repone."))
        await settle(pilot)
        assert "Zub" not in words_of(app)


def test_a_sign_known_from_a_table_without_words_is_not_asked_again(post: Heard) -> None:
    from tui.clinic.visit import Walk

    visit, on = post.desk.visit, post.desk.today
    cough = post.desk.table("child-cough")
    fever = replace(post.desk.table("child-fever"))
    assert (cough.overlay is None, fever.overlay is None) == (False, True)
    walk = Walk(cough, visit, on)
    for one, answer in (("age", "14"), ("not_able_to_drink", "no"), ("vomits_everything", "no"), ("convulsions", "s")):
        walk.answer(next(asked for asked in cough.inputs if asked.id == one), answer if answer != "s" else "yes")
    walk.finish()
    assert "convulsions" in Walk(fever, visit, on).answers
