"""What lessons answer stays theirs: no reviewed question is taken over by a rule that did not answer it before."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from edge.library.folder import CLINIC, EMBEDDED
from edge.library.library import Library
from edge.tutor.reader import Reader
from edge.tutor.reckon import reckon
from edge.tutor.reckon.sums import read_sum
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor

QUESTIONS = Path(__file__).parent.parent / "data" / "pupil_questions.toml"


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


def asked_in(library: Library) -> list[tuple[str, str]]:
    """Every way to ask every reviewed question, with its language."""
    lessons = [library.lesson(row.id) for row in library.lessons()]
    return [
        (question, lesson.lang)
        for lesson in lessons
        for entry in lesson.bank
        for question in (entry.question, *entry.variants, *entry.heard)
    ]


def test_a_reviewed_question_keeps_its_reviewed_answer(library: Library) -> None:
    reader = Reader.open()
    tutor = Tutor(library, lambda: reader, lambda: None)
    asked = asked_in(library)
    assert len(asked) > 1000
    taken = []
    for question, lang in asked:
        if read_sum(question) is None and reckon(question, lang) is not None:
            reply = [event for event in tutor.answer(question, lang=lang) if isinstance(event, Reply)][-1]
            taken += [question] if reply.model == "arithmetic" else []
    assert taken == []


def test_no_pupils_question_about_lessons_is_taken_for_one_that_rules_answer() -> None:
    table = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    rows = [*table["answered"], *table["unanswered"]]
    assert len(rows) == 60
    assert [
        row["question"] for row in rows if read_sum(row["question"]) is None and reckon(row["question"], row["lang"])
    ] == []


def test_no_question_of_a_guideline_is_one_that_rules_answer(tmp_path: Path) -> None:
    packs = [folder for folder in sorted(CLINIC.iterdir()) if (folder / "pack.toml").exists()]
    asked = asked_in(Library.of_folders(packs, tmp_path))
    assert [question for question, lang in asked if reckon(question, lang)] == []
