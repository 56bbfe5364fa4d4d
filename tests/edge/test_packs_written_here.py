"""The packs that ship are whole, right by their own checkers, readable, and large enough."""

from __future__ import annotations

import pytest

from edge.library.check import advise, check
from edge.library.folder import EMBEDDED, read_pack
from edge.library.pack import Pack
from edge.library.readability import count_syllables, least_level, measure

PACKS = ("primaria", "fundamental")


@pytest.fixture(scope="module", params=PACKS)
def pack(request: pytest.FixtureRequest) -> Pack:
    pack, complaints = read_pack(EMBEDDED / request.param)
    assert [c.say("en") for c in complaints] == []
    return pack


def test_every_key_is_right_by_its_own_checker_and_no_answer_repeats(pack: Pack) -> None:
    assert [c.say("en") for c in check(pack)] == []


def test_every_lesson_is_long_enough_easy_enough_and_has_hints(pack: Pack) -> None:
    assert [c.say("en") for c in advise(pack)] == []


def test_every_text_reaches_the_reading_level_of_its_grade(pack: Pack) -> None:
    for lesson in pack.lessons:
        level = measure(lesson.text, lesson.lang)
        assert level.value >= (least_level(lesson.lang, lesson.grade) or 0), lesson.id
        assert 200 <= level.words <= 500, lesson.id


def test_answers_are_one_to_four_sentences(pack: Pack) -> None:
    from edge.tutor.reply import sentences_of

    for lesson in pack.lessons:
        for entry in lesson.bank:
            assert 1 <= len(sentences_of(entry.text)) <= 4, f"{lesson.id}: {entry.question}"


def test_there_are_enough_lessons_items_and_answers() -> None:
    primaria, _ = read_pack(EMBEDDED / "primaria")
    fundamental, _ = read_pack(EMBEDDED / "fundamental")
    assert len(primaria.lessons) >= 30
    assert len(fundamental.lessons) >= 8
    assert {lesson.grade for lesson in primaria.lessons} == {1, 2, 3, 4, 5, 6}
    assert {lesson.subject for lesson in primaria.lessons} == {
        "matematicas",
        "lenguaje",
        "ciencias",
        "sociales",
        "salud",
    }
    assert sum(len(lesson.bank) for lesson in primaria.lessons) >= 360
    assert all(len(lesson.items) >= 6 and len(lesson.bank) >= 12 for lesson in primaria.lessons + fundamental.lessons)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("sol", 1), ("agua", 2), ("planta", 2), ("río", 2), ("aéreo", 4), ("guitarra", 3), ("queso", 2), ("pingüino", 3),
        ("murciélago", 4), ("ahora", 3), ("fotosíntesis", 5), ("ciudad", 2), ("muy", 1), ("yo", 1), ("água", 2),
        ("coração", 3), ("pães", 1), ("lições", 2), ("saúde", 3), ("mãe", 1),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_in_school(word: str, count: int) -> None:
    assert count_syllables(word) == count


def test_a_hard_text_measures_harder_than_an_easy_one() -> None:
    easy = "El gato come. El gato duerme. Ana lo mira."
    hard = "La diversificación institucional contemporánea caracteriza extraordinariamente las administraciones."
    assert measure(easy, "es").value > 90
    assert measure(hard, "es").value < 20
