"""At a health post guidelines and what patients are taught are asked first; the school's lessons only where they surely answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.guideline_questions import ask_all as ask_guidelines
from benchmarks.guideline_questions import counts as count_guidelines
from benchmarks.guideline_questions import library_of_guidelines
from benchmarks.patient_questions import ask_all, counts, tutor_at_a_post
from edge.library.folder import CLINIC, read_pack
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor


@pytest.fixture(scope="module")
def tutor() -> Tutor:
    return tutor_at_a_post()


def test_patients_questions_are_answered_from_the_right_text_or_not_at_all(tutor: Tutor) -> None:
    found = counts(ask_all(tutor))
    assert found["right pack"][1] >= 40
    assert found["right text"][0] >= 50
    assert found["rightly nothing"] == (20, 20)


def test_a_guideline_quotes_the_right_passage_or_says_that_it_does_not_say() -> None:
    outcomes = ask_guidelines("held", library_of_guidelines(["es"]), Reader.open(), ["es"])
    right, answerable, nothing, others = count_guidelines(outcomes)
    assert (answerable, others) == (14, 12)
    assert right >= 12
    assert nothing >= 11


def ask(tutor: Tutor, question: str, lang: str = "es") -> Reply:
    *_, reply = tutor.answer(question, lang=lang)
    assert isinstance(reply, Reply)
    return reply


def test_what_pupils_ask_is_still_answered_where_the_lesson_surely_answers(tutor: Tutor) -> None:
    reply = ask(tutor, "¿Por qué son verdes las hojas?")
    assert reply.sources[0].pack == "primaria"


def test_nothing_found_is_said_in_the_words_of_a_guideline(tutor: Tutor) -> None:
    assert ask(tutor, "¿cuánto cuesta la consulta?").text == "No está en la guía instalada."


def test_an_unknown_audience_is_named_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "rara" / "lessons").mkdir(parents=True)
    head = (CLINIC / "ensenanza" / "pack.toml").read_text(encoding="utf-8").replace('"patients"', '"doctors"')
    (tmp_path / "rara" / "pack.toml").write_text(head, encoding="utf-8")
    _, complaints = read_pack(tmp_path / "rara")
    assert "doctors" in complaints[0].say("es")
    assert "patients" in complaints[0].say("es")
