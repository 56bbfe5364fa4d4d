"""A model writes for practice only where its card lets it, and what gives the answer away never comes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from coaching import EXERCISE, FAULTY, HINT, TELLING, Saying, card_for, coach_with, device_that, device_with
from edge.errors import ModelError
from edge.learning.grade import mark
from edge.library.folder import EMBEDDED, read_pack
from edge.library.library import Library
from edge.library.pack import Item, Lesson
from edge.library.terms import WORD, fold
from edge.llama.brake import never
from edge.onnx.decoder import OnnxEngine
from edge.settings import Settings
from edge.shared.client import SharedEngine
from edge.shared.server import serve
from edge.tutor import workshop
from edge.tutor.coach import Coach, Extra, LastHint, answers_of, passage_of, passages_to_ask
from edge.tutor.giveaway import reveals
from edge.tutor.reply import Waiting
from edge.tutor.shaped import hint_of, untold, write_exercise
from edge.tutor.workshop import ModelInUse
from fakes import SCREEN_PACKS, FakeLibrary
from onnx_forms import MINI, onnx_of
from promptness import within
from school import model

PLANTS = FakeLibrary().lesson("prueba/4-ciencias-plantas")
GAS = PLANTS.items[0]
BOTH = ("hint", "exercise")


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    return list(read_pack(EMBEDDED / "primaria")[0].lessons)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    opened = Library.of_folders([SCREEN_PACKS / "prueba"], tmp_path_factory.mktemp("index"))
    yield opened
    opened.close()


@pytest.fixture
def in_use(home: Path) -> Iterator[ModelInUse]:
    """The real mini on a device where a person opened both."""
    found = ModelInUse(device_that(home, *BOTH))
    yield found
    engine = found.engine()
    assert engine is not None
    engine.close()  # type: ignore[attr-defined]


def test_the_model_that_ships_may_neither_and_is_not_even_opened(settings: Settings) -> None:
    found = ModelInUse(settings)
    assert not any(found.may(capability) for capability in BOTH)
    assert found.engine() is None


@pytest.mark.parametrize("open_ones", [("hint",), ("exercise",), ("grounded_answer", "hint")])
def test_a_model_may_exactly_what_its_card_opens(home: Path, open_ones: tuple[str, ...]) -> None:
    found = ModelInUse(device_that(home, *open_ones))
    assert [name for name in ("grounded_answer", *BOTH) if found.may(name)] == list(open_ones)


def test_a_model_that_may_only_hint_answers_no_question(home: Path, library: Library) -> None:
    tutor = workshop.open_tutor(device_that(home, "hint"), library)
    assert tutor.coach is not None
    assert tutor.coach.may("hint", PLANTS)
    assert not tutor.coach.may("exercise", PLANTS)
    assert tutor._model() is None


def test_a_card_about_another_file_opens_nothing(home: Path) -> None:
    files = {"models/escuela.gguf": model(), "models/escuela.json": card_for(b"another", *BOTH)}
    assert not ModelInUse(device_with(home, files)).may("hint")


def test_without_memory_for_it_the_model_may_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = device_that(home, *BOTH)
    monkeypatch.setattr(workshop, "ram_mb", lambda: 8)  # no machine of ours has so little
    assert not ModelInUse(settings).may("hint")


def test_a_lesson_that_may_only_be_quoted_gets_nothing(lessons: list[Lesson]) -> None:
    coach = Coach(lambda _: True, lambda: None, lambda lang, lesson: (lang, lesson) == ("es", PLANTS.id))
    assert not coach.may("hint", PLANTS)
    assert coach.may("hint", lessons[0])


def test_what_the_real_model_writes_is_checked_or_nothing(in_use: ModelInUse, lessons: list[Lesson]) -> None:
    coach = Coach(in_use.may, in_use.engine, lambda _lang, _lesson: False)
    for lesson in lessons[2:10:4]:
        hint = coach.hint(lesson, lesson.items[0], never, untold)
        assert hint is None or not gives_away(hint.text, lesson.items[0]), hint
        extra = coach.exercise(lesson, passages_to_ask(lesson)[0], never, untold)
        assert extra is None or mark(extra.item, answers_of(extra.item)[0]).right


@pytest.mark.slow
def test_the_real_model_stops_within_200_milliseconds_wherever_it_is(in_use: ModelInUse, lessons: list[Lesson]) -> None:
    engine = in_use.engine()
    assert engine is not None
    passage = max(passages_to_ask(lessons[10]), key=len)
    for moment_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        stopped = threading.Event()
        thread = threading.Thread(target=write_exercise, args=(engine, passage, "es", stopped.is_set))
        thread.start()
        stopped.wait(moment_s)
        with within(0.2):
            stopped.set()
            thread.join(30)
        assert not thread.is_alive()


def test_the_engine_of_a_class_writes_for_all_and_says_who_waits(home: Path) -> None:
    settings = device_that(home, *BOTH)
    path = workshop.model_that_may(settings, "hint")
    assert path is not None
    ready, stopped = threading.Event(), threading.Event()
    serving = threading.Thread(target=serve, args=(path.path, 1, home, lambda _: ready.set(), stopped))
    serving.start()
    try:
        assert ready.wait(60)
        found = ModelInUse(settings)
        assert isinstance(found.engine(), SharedEngine)
        coach = Coach(found.may, found.engine, lambda _lang, _lesson: False)
        heard: list[Waiting] = []
        pupils = [
            threading.Thread(target=coach.exercise, args=(PLANTS, passage, never, heard.append))
            for passage in passages_to_ask(PLANTS)
        ]
        for pupil in pupils:
            pupil.start()
        for pupil in pupils:
            pupil.join(60)
        assert not any(pupil.is_alive() for pupil in pupils)
        assert max(waiting.place for waiting in heard) >= 1
    finally:
        stopped.set()
        serving.join(30)
    with pytest.raises(ModelError, match="not ready"):
        coach.hint(PLANTS, GAS, never, untold)


@pytest.mark.parametrize(("open_ones", "may"), [(("grounded_answer", "hint"), True), (("hint",), False)])
def test_in_a_class_only_the_model_that_answers_it_may_write(
    home: Path, library: Library, open_ones: tuple[str, ...], may: bool
) -> None:
    coach = workshop.class_coach(device_that(home, *open_ones), library, lambda: None)
    assert coach.may("hint", PLANTS) == may
    assert not coach.may("exercise", PLANTS)


def test_an_onnx_file_alone_writes_in_the_same_forms_by_its_own_card(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    onnx = onnx_of(MINI, tmp_path_factory.mktemp("onnx")).read_bytes()
    files = {"models/escuela-onnx.onnx": onnx, "models/escuela-onnx.json": card_for(onnx, "hint")}
    found = ModelInUse(device_with(home, files))
    assert found.may("hint")
    assert not found.may("exercise")
    engine = found.engine()
    assert isinstance(engine, OnnxEngine)
    with engine:
        coach = Coach(found.may, found.engine, lambda _lang, _lesson: False)
        with suppress(ModelError):  # the mini itself has little room; a long question is refused in a sentence
            hint = coach.hint(PLANTS, GAS, never, untold)
            assert hint is None or not gives_away(hint.text, GAS)


def test_a_hint_comes_with_the_passage_it_stands_on() -> None:
    engine = Saying(hints=[HINT])
    found = coach_with(engine, "hint").hint(PLANTS, GAS, never, untold)
    assert isinstance(found, LastHint)
    assert found.text == HINT["hint"]
    assert found.source.lesson == PLANTS.id
    assert "dióxido de carbono" in found.source.passage
    assert engine.asked[0].startswith(found.source.passage)


@pytest.mark.parametrize(
    "said", [TELLING, {"hint": "Dióxido, lo sueltan las plantas."}, {"hint": ", o 2."}, {}, 5, "x"]
)
def test_what_gives_the_answer_away_or_says_nothing_is_no_hint(said: object) -> None:
    assert coach_with(Saying(hints=[said]), "hint").hint(PLANTS, GAS, never, untold) is None


def test_every_spelling_of_the_answer_is_secret() -> None:
    root = PLANTS.items[2]
    said = {"hint": "La planta toma agua por sus hojas."}
    assert coach_with(Saying(hints=[said]), "hint").hint(PLANTS, root, never, untold)
    other = Item(root.id, "text", root.prompt, (), ("raíz", "hojas"), (), root.because)
    assert coach_with(Saying(hints=[said]), "hint").hint(PLANTS, other, never, untold) is None


def test_an_exercise_that_stands_on_no_passage_gets_no_hint_and_the_model_is_not_asked() -> None:
    engine = Saying(hints=[HINT])
    assert passage_of(PLANTS.items[1], PLANTS) == ""
    assert coach_with(engine, "hint").hint(PLANTS, PLANTS.items[1], never, untold) is None
    assert not engine.asked


def test_an_exercise_of_the_model_is_marked_as_any_other_and_explained_by_the_lesson() -> None:
    passage = passages_to_ask(PLANTS)[0]
    found = coach_with(Saying(exercises=[EXERCISE]), "exercise").exercise(PLANTS, passage, never, untold)
    assert isinstance(found, Extra)
    assert [mark(found.item, given).right for given in ("b", "Agua", "a", "x")] == [True, True, False, False]
    assert mark(found.item, "b").because == "La lección dice: La raíz toma el agua de la tierra."
    assert found.source.passage == passage
    assert coach_with(Saying(exercises=[FAULTY]), "exercise").exercise(PLANTS, passage, never, untold) is None


def test_while_no_model_is_there_it_is_said() -> None:
    with pytest.raises(ModelError, match="not ready"):
        Coach(lambda _: True, lambda: None, lambda _lang, _lesson: False).hint(PLANTS, GAS, never, untold)


def gives_away(text: str, item: Item) -> bool:
    """Compare word by word: does the text hold a word of an answer, three letters or more, that the exercise does not say?"""
    asked = {fold(word) for word in WORD.findall(item.prompt)}
    secret = {fold(w) for answer in answers_of(item) for w in WORD.findall(answer) if len(w) > 2 or w.isdigit()}
    small = {"los", "las", "una", "del", "por", "que", "con"}
    return bool((secret - asked - small) & {fold(word) for word in WORD.findall(text)})


SAID = """
las hojas toman del aire un gas que se llama dióxido carbono oxígeno raíz agua tierra planta plantas luz toma
DIÓXIDO Carbonos carbónico tres cosas azúcar sol no 3 15 quince
"""
words = st.sampled_from(sorted(set(SAID.split())))


@examples(max_examples=150)
@given(st.lists(words, min_size=3, max_size=16), st.sampled_from(PLANTS.items), st.sampled_from(".!?"))
def test_no_words_in_any_order_bring_the_answer_through(said: list[str], item: Item, end: str) -> None:
    passage = " ".join(passages_to_ask(PLANTS))
    text = f"{' '.join(said).capitalize()}{end}"
    for answer in answers_of(item):
        hint = hint_of({"hint": text}, item.prompt, answer, passage, "es")
        assert hint is None or not gives_away(hint.text, Item(item.id, item.kind, item.prompt, (), (answer,), (), ""))


@pytest.mark.parametrize(
    ("text", "answer", "known"),
    [
        ("Son quince en total.", "15 cm", "¿Cuántos centímetros?"),
        ("Son 3 patas.", "tres", "¿Cuántas patas?"),
        ("Es lo mismo que 6/8.", "3/4", "¿Qué fracción?"),
        ("Cuenta 1 500 pasos.", "1500", "¿Cuántos pasos?"),
        ("Se escribe así: árbol.", "árbol", "¿Cómo se escribe arbol?"),
        ("El sol es más grande.", "el sol", "¿Cuál es más grande: el sol o la luna?"),
        ("Piensa: no hay agua.", "no", "¿Hay agua en la luna?"),
        ("Piensa en las raíces.", "raíz", "¿Qué parte es?"),
    ],
)
def test_an_answer_in_another_form_is_given_away_too(text: str, answer: str, known: str) -> None:
    assert reveals(text, answer, known, "es")


def test_what_the_exercise_says_itself_is_no_secret() -> None:
    assert not reveals(
        "La planta crece 3 cm cada semana.", "15 cm", "Creció 3 cm cada semana. ¿Cuánto en 5 semanas?", "es"
    )
