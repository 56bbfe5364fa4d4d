"""Thanks and greetings get a plain word, a topic gets its lesson, and neither takes the place of an answer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.library.terms import fold
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.talk import talk_of
from edge.tutor.topics import OPENINGS, SIGNS, without_opening
from edge.tutor.turn import Tutor
from edge.words import words_for
from tui.answer import kind_of

TALK = tomllib.loads(files("edge.tutor").joinpath("talk.toml").read_text(encoding="utf-8"))
KINDS = [(lang, kind) for lang, spoken in TALK.items() for kind in spoken if kind != "called"]
DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


@pytest.fixture(scope="module")
def tutor(library: Library) -> Tutor:
    reader = Reader.open()
    return Tutor(library, lambda: reader, lambda: None)


def said(tutor: Tutor, question: str, lang: str = "es") -> Reply:
    *_, reply = tutor.answer(question, lang=lang)
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize(("lang", "kind"), KINDS)
def test_every_kind_of_talk_has_its_words_in_every_language_and_its_messages_can_be_met(lang: str, kind: str) -> None:
    assert words_for("edge", lang).has(f"talk.{kind}")
    for message in TALK[lang][kind]:
        assert talk_of(f"¡{message.capitalize()}!", lang) == kind, message
        assert message == fold(message), "in small letters without accents"


@pytest.mark.parametrize(
    ("message", "lang", "word"),
    [
        ("Hola, profe", "es", "Soy Amauta"),
        ("¡Muchas gracias!", "es", "Con gusto"),
        ("no entiendo", "es", "Dime una palabra"),
        ("¿Quién eres?", "es", "No soy una persona"),
        ("Obrigada!", "pt", "De nada"),
        ("oi", "pt", "Eu sou Amauta"),
    ],
)
def test_who_says_thanks_is_not_told_that_it_was_not_found(tutor: Tutor, message: str, lang: str, word: str) -> None:
    reply = said(tutor, message, lang)
    assert word in reply.text
    assert (reply.mode, reply.sources) == ("none", ())
    assert kind_of(reply) == "talk", "nobody is told to try other words"


def test_a_question_after_a_greeting_is_a_question(tutor: Tutor) -> None:
    for greeting in ("Hola, ", "Profe, por favor, ", "Oye amauta "):
        reply = said(tutor, f"{greeting}¿qué es una fracción?")
        assert (reply.mode, reply.sources[0].lesson) == ("bank", "primaria/4-matematicas-fracciones")


def test_who_is_in_trouble_is_heard_first(tutor: Tutor) -> None:
    assert said(tutor, "hola, ya no quiero vivir").mode == "guard"


@pytest.mark.parametrize("message", ["explícame las fracciones", "FRACCIONES", "tengo tarea de fracciones"])
def test_who_names_a_topic_gets_the_beginning_of_its_lesson(tutor: Tutor, library: Library, message: str) -> None:
    reply = said(tutor, message)
    assert reply.text.startswith("Sobre esto hay una lección: «Las fracciones». Empieza así:")
    assert reply.text.endswith(library.beginning(reply.sources[0].lesson))


def test_several_lessons_about_a_topic_are_all_named(tutor: Tutor) -> None:
    reply = said(tutor, "háblame del agua") if talk_of("agua", "es") else said(tutor, "agua")
    assert reply.text.startswith("Sobre esto hay 2 lecciones: «El ciclo del agua»; «El agua segura y la diarrea».")
    assert len({source.lesson for source in reply.sources}) == 2


def test_a_topic_and_something_else_is_no_topic(tutor: Tutor) -> None:
    assert said(tutor, "¿Quién inventó las fracciones?").mode == "none"
    assert said(tutor, "fracciones de Marte").mode == "none"


def _questions() -> Iterator[tuple[str, str]]:
    for pack in ("primaria", "fundamental"):
        whole, _ = read_pack(EMBEDDED / pack)
        yield from (
            (asked, whole.lang)
            for lesson in whole.lessons
            for entry in lesson.bank
            for asked in (entry.question, *entry.variants, *entry.heard)
        )
    for row in (row for rows in tomllib.loads((DATA / "pupil_questions.toml").read_text()).values() for row in rows):
        yield row["question"], row["lang"]


def test_no_question_that_pupils_ask_is_taken_for_talk() -> None:
    questions = list(_questions())
    assert len(questions) > 1000
    assert [question for question, lang in questions if talk_of(question, lang)] == []


@given(st.text(max_size=80), st.sampled_from(sorted(OPENINGS)))
def test_what_is_left_of_a_message_is_its_end_and_never_nothing(message: str, lang: str) -> None:
    left = without_opening(message, lang)
    assert left == message or message.split()[-len(left.split()) :] == left.split()
    assert bool(left.strip(SIGNS + " ")) or not message.strip(SIGNS + " ") or left == message
    assert without_opening(left, lang) == left
    talk_of(message, lang)


@given(st.lists(st.sampled_from(sorted(" ".join(words) for words in OPENINGS["es"])), max_size=4))
def test_openings_may_follow_each_other(openings: list[str]) -> None:
    assert without_opening(" ".join([*openings, "los volcanes"]), "es") == "los volcanes"
