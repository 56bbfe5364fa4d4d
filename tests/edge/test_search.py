"""Search understands children: no accents, misspelt, another form of the word, two languages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import PackError
from edge.library import index
from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.library.question import kind_of, kinds_agree
from edge.library.spelling import distance, nearest, sound_of
from edge.library.terms import content_words, fold, term_of
from edge.settings import Settings
from promptness import within

MINI = Path(__file__).parent.parent / "data" / "packs" / "mini"


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


@pytest.mark.parametrize(
    ("one", "other", "lang"),
    [
        ("evaporación", "evaporacion", "es"),
        ("evaporación", "evaporaciones", "es"),
        ("volcán", "volcanes", "es"),
        ("raíz", "raíces", "es"),
        ("planta", "plantas", "es"),
        ("descubrió", "descubrir", "es"),
        ("fração", "frações", "pt"),
        ("água", "agua", "pt"),
    ],
)
def test_forms_of_one_word_meet(one: str, other: str, lang: str) -> None:
    assert term_of(one, lang) & term_of(other, lang)


@pytest.mark.parametrize(("one", "other"), [("año", "ano"), ("caña", "cana"), ("sueño", "sueno")])
def test_enye_is_a_letter_of_its_own(one: str, other: str) -> None:
    assert not term_of(one, "es") & term_of(other, "es")


def test_two_languages_never_meet() -> None:
    assert not term_of("planta", "es") & term_of("planta", "pt")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("bolcan", "volcán"), ("selula", "célula"), ("uesos", "huesos"), ("yuvia", "lluvia"), ("ezqueleto", "esqueleto")],
)
def test_a_misspelt_word_sounds_like_the_right_one(written: str, meant: str) -> None:
    assert sound_of(written) == sound_of(meant)


@given(st.text(max_size=30))
def test_any_text_has_terms_and_a_sound(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for word in content_words(text, "es"):
        assert term_of(word, "es")
    sound_of(text)


letters = st.text(alphabet="abcdñ", max_size=8)


words = st.text(alphabet="abcdeñ", min_size=5, max_size=9)


@given(words, st.lists(words, max_size=8))
def test_the_nearest_word_is_the_same_with_and_without_the_look_at_its_letters(word: str, others: list[str]) -> None:
    allowed = 1 if len(word) < 8 else 2
    away, best = min(((distance(word, other, allowed), other) for other in others), default=(9, ""))
    assert nearest(word, others) == (best if away <= allowed else None)


@given(letters, letters)
def test_distance_is_symmetric_and_counts_letters(one: str, other: str) -> None:
    away = distance(one, other, 9)
    assert away == distance(other, one, 9)
    assert (away == 0) == (one == other)
    assert abs(len(one) - len(other)) <= away <= max(len(one), len(other))


def test_swapped_letters_are_one_mistake() -> None:
    assert distance("palnta", "planta", 2) == 1
    assert nearest("palnta", ["planta", "plaza"]) == "planta"


@pytest.mark.parametrize(
    ("question", "lang", "kind"),
    [
        ("¿Por qué llueve?", "es", "why"),
        ("porque llueve", "es", "why"),
        ("para que sirve la raiz", "es", "what-for"),
        ("¿En qué año llegó Colón?", "es", "when"),
        ("dime cuántos huesos hay", "es", "how-many"),
        ("Onde vive a onça?", "pt", "where"),
        ("la raíz", "es", ""),
    ],
)
def test_the_kind_of_question_is_seen(question: str, lang: str, kind: str) -> None:
    assert kind_of(question, lang) == kind


def test_kinds_agree_fully_partly_or_not_at_all() -> None:
    assert [kinds_agree("why", "why"), kinds_agree("what", "which"), kinds_agree("who", "when")] == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("question", "lang", "lesson"),
    [
        ("como fabrican su comida las plantas", "es", "primaria/4-ciencias-fotosintesis"),
        ("por que ay bolcanes", "es", "primaria/6-ciencias-volcanes-y-terremotos"),
        ("quien fue bolivar", "es", "primaria/6-sociales-la-independencia-de-america-latina"),
        ("o que é a caatinga", "pt", "fundamental/5-sociais-biomas-do-brasil"),
    ],
)
def test_the_right_lesson_comes_first(library: Library, question: str, lang: str, lesson: str) -> None:
    asked = library.understand(question, lang)
    assert library.passages(asked)[0].lesson == lesson


@pytest.mark.parametrize(("pack", "every"), [("primaria", 9), ("fundamental", 9)])
def test_a_question_of_the_bank_asked_in_its_own_words_gets_its_own_answer(
    library: Library, pack: str, every: int
) -> None:
    whole, _ = read_pack(EMBEDDED / pack)
    entries = [entry for lesson in whole.lessons for entry in lesson.bank]
    entries = [entry for number, entry in enumerate(entries) if number % every == 0 or "dengue" in entry.question]
    assert len(entries) > 20
    for entry in entries:
        asked = library.understand(entry.question, whole.lang)
        assert asked.words == () or library.bank(asked)[0].text == entry.text, entry.question


def test_a_passage_carries_pack_lesson_and_title(library: Library) -> None:
    passage = library.passages(library.understand("¿Qué es la fotosíntesis?", "es"))[0]
    assert (passage.pack, passage.lesson) == ("primaria", "primaria/4-ciencias-fotosintesis")
    assert "fotosíntesis" in passage.title.lower()
    assert passage.text in " ".join(index.passages_of(library.lesson(passage.lesson).text))


def test_a_search_can_be_held_to_one_lesson(library: Library) -> None:
    asked = library.understand("agua", "es")
    lessons = {passage.lesson for passage in library.passages(asked, lesson="primaria/4-ciencias-ciclo-del-agua")}
    assert lessons == {"primaria/4-ciencias-ciclo-del-agua"}


@pytest.mark.parametrize("question", ['"', "' OR 1=1 --", "NEAR(", "agua*", "^agua", "AND", "\x00", "🙂", "a" * 5000])
def test_nothing_a_person_types_breaks_the_search(library: Library, question: str) -> None:
    asked = library.understand(question, "es")
    library.passages(asked)
    library.bank(asked)


def test_a_prebuilt_index_opens_in_under_100_ms(library: Library, shared_index: Path) -> None:
    with within(0.1):
        Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index).close()


def copy_of_mini(settings: Settings) -> Path:
    folder = settings.packs_folder / "mini"
    (folder / "lessons").mkdir(parents=True)
    for path in [MINI / "pack.toml", *(MINI / "lessons").glob("*.md")]:
        (folder / path.relative_to(MINI)).write_bytes(path.read_bytes())
    return folder


def test_a_changed_pack_is_indexed_anew_and_the_old_index_removed(settings: Settings, tmp_path: Path) -> None:
    folder = copy_of_mini(settings)
    Library.open(settings, tmp_path / "none").close()
    lesson = next((folder / "lessons").glob("*.md"))
    changed = lesson.read_text(encoding="utf-8").replace("hielo", "granizo")
    lesson.write_text(changed, encoding="utf-8")
    os.utime(lesson, ns=(1, 1))
    library = Library.open(settings, tmp_path / "none")
    assert library.passages(library.understand("granizo", "es"))
    assert len(list(settings.index_folder.glob("*"))) == 1


def test_a_damaged_index_is_made_anew(settings: Settings, tmp_path: Path) -> None:
    copy_of_mini(settings)
    Library.open(settings, tmp_path / "none").close()
    damaged = next(settings.index_folder.glob("*"))
    damaged.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    library = Library.open(settings, tmp_path / "none")
    assert len(library.lessons()) == 1


def test_without_room_for_an_index_the_library_works_from_memory(settings: Settings, tmp_path: Path) -> None:
    copy_of_mini(settings)
    settings.index_folder.parent.mkdir(exist_ok=True)
    settings.index_folder.write_text("a file where the folder should be", encoding="utf-8")
    library = Library.open(settings, tmp_path / "none")
    assert [row.title for row in library.lessons()] == ["El agua"]


def test_an_added_pack_hides_the_embedded_one_of_the_same_name(settings: Settings) -> None:
    folder = copy_of_mini(settings).rename(settings.packs_folder / "primaria")
    pack = folder / "pack.toml"
    pack.write_text(pack.read_text(encoding="utf-8").replace('"mini"', '"primaria"'), encoding="utf-8")
    library = Library.open(settings)
    assert [row.title for row in library.lessons("es")] == ["El agua"]


def test_an_unknown_lesson_is_refused_by_name(library: Library) -> None:
    for name in ("primaria/nada", "nada/nada", "../../etc/passwd", ""):
        with pytest.raises(PackError, match="no lesson"):
            library.lesson(name)
