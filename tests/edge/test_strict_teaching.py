"""What patients are taught: easy to read, easy to say, without amounts of medicine, found when asked, only in a clinic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from edge.cli import main
from edge.library.check import check
from edge.library.folder import CLINIC, EMBEDDED, read_pack
from edge.library.library import Library, folders_of
from edge.library.pack import Lesson, Pack
from edge.library.readability import measure
from edge.settings import Settings, save
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply, sentences_of
from edge.tutor.turn import Tutor

NAMES = ("ensenanza", "ensino")
EASIEST, EASY = 80.0, 65.0
"""From 80 on "very easy", from 65 on "quite easy" on the INFLESZ scale (Barrio-Cantalejo et al., 2008), which grades
the very index that `measure` computes for Spanish."""

MOST_WORDS_A_SENTENCE = 20
NOT_SPOKEN = re.compile(r"\d|[°%/]|\b(?:ml|mg|kg|cm|mm|hrs?|min)\b")
PENDING = {"es": "(por aprobar)", "pt": "(a aprovar)"}


@pytest.fixture(scope="module", params=NAMES)
def pack(request: pytest.FixtureRequest) -> Pack:
    pack, complaints = read_pack(CLINIC / request.param)
    assert [c.say("en") for c in complaints + check(pack)] == []
    return pack


def said(lesson: Lesson) -> list[str]:
    return [lesson.text, *(entry.text for entry in lesson.bank)]


def test_every_text_is_very_easy_and_every_answer_quite_easy(pack: Pack) -> None:
    for lesson in pack.lessons:
        assert measure(lesson.text, lesson.lang).value >= EASIEST, lesson.id
        for entry in lesson.bank:
            assert measure(entry.text, lesson.lang).value >= EASY, entry.question
            assert len(sentences_of(entry.text)) <= 4, entry.question
        for text in said(lesson):
            level = measure(text, lesson.lang)
            assert level.words / level.sentences <= MOST_WORDS_A_SENTENCE, text


def test_a_voice_says_every_word_for_there_are_no_figures_units_or_amounts(pack: Pack) -> None:
    for lesson in pack.lessons:
        for text in said(lesson):
            assert not (found := NOT_SPOKEN.search(text)), f"{lesson.id}: {found}"


def test_every_title_says_that_nobody_approved_it_yet_and_every_text_names_its_guideline(pack: Pack) -> None:
    assert pack.title.endswith(PENDING[pack.lang])
    for lesson in pack.lessons:
        assert lesson.title.endswith(PENDING[pack.lang])
        assert lesson.sources


def test_both_languages_teach_the_same() -> None:
    spanish, portuguese = (read_pack(CLINIC / name)[0].lessons for name in NAMES)
    assert len(spanish) == len(portuguese) == 9
    assert sorted(len(lesson.bank) for lesson in spanish) == sorted(len(lesson.bank) for lesson in portuguese)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    folders = [*(CLINIC / name for name in NAMES), EMBEDDED / "primaria"]
    library = Library.in_memory([read_pack(folder) for folder in folders])
    yield library
    library.close()


def test_a_question_gets_its_answer_word_for_word_or_a_school_lesson_that_says_the_same(
    library: Library, pack: Pack
) -> None:
    tutor, exact, asked = Tutor(library, Reader.open, lambda: None), 0, 0
    for lesson in pack.lessons:
        for entry in lesson.bank:
            *_, reply = tutor.answer(entry.question, lang=pack.lang)
            assert isinstance(reply, Reply)
            if reply.mode == "guard":
                continue
            asked += 1
            exact += reply.text == entry.text
            assert reply.sources[0].lesson == lesson.id or "-salud-" in reply.sources[0].lesson, entry.question
    assert asked >= 35
    assert exact >= 0.8 * asked


def test_a_list_of_signs_is_never_quoted_without_what_to_do(pack: Pack) -> None:
    blocks = [block for lesson in pack.lessons for block in lesson.text.split("\n\n") if re.search(r"^- ", block, re.M)]
    assert len(blocks) >= 6
    for block in blocks:
        assert block.partition("\n- ")[0].endswith(":"), block


def test_a_school_does_not_see_them_a_clinic_does_and_anybody_may_add_them(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic = replace(settings, place="clinic")
    assert not {path.name for path in folders_of(settings)} & set(NAMES)
    assert {path.name for path in folders_of(clinic)} >= {"primaria", *NAMES}
    save(settings)
    assert main(["packs", "add", "ensenanza"]) == 0
    assert {path.name for path in folders_of(settings)} & set(NAMES) == {"ensenanza"}
    assert main(["packs", "list", "--json"]) == 0
    packs = json.loads(capsys.readouterr().out)["packs"]
    assert [p["complaints"] for p in packs if p["id"] == "ensenanza"] == [0]
