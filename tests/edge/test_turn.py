"""One turn: guard, sums, bank, passages, a model only where its card allows, else silence."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import EdgeError, ModelError
from edge.library.folder import EMBEDDED
from edge.library.library import Library
from edge.release.installed import installed_models
from edge.release.manifest import embedded_release
from edge.settings import Settings
from edge.shared.client import SharedEngine
from edge.shared.wire import Place, announce
from edge.tutor.engine import Engine, Message
from edge.tutor.generate import Asking, Written, generate
from edge.tutor.reader import Reader
from edge.tutor.reply import Event, Piece, Reply, Sentence, sentences_of
from edge.tutor.support import supported
from edge.tutor.turn import LONGEST_QUESTION, Tutor, tidy
from edge.tutor.workshop import allowed_model

DATA = Path(__file__).parent.parent / "data"
PASSAGES = [
    "La rana es un anfibio. La rana nace en el agua y tiene cola. Después pierde la cola.",
    "El Paricutín nació en 1943 en un campo de maíz de Michoacán.",
]


class Scripted:
    """An engine that says what it was told to say, a few letters at a time."""

    name, context_tokens = "scripted", 2048

    def __init__(self, text: str) -> None:
        self._text = text
        self.asked: list[Sequence[Message]] = []

    def stream(self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        self.asked.append(messages)
        for at in range(0, min(len(self._text), max_tokens * 3), 3):
            if stop():
                return
            yield self._text[at : at + 3]


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


@pytest.fixture
def tutor(library: Library, reader: Reader) -> Tutor:
    return Tutor(library, lambda: reader, lambda: None)


def run(tutor: Tutor, question: str, **more: object) -> tuple[list[Event], Reply]:
    events = list(tutor.answer(question, **{"lang": "es", **more}))  # type: ignore[arg-type]
    reply = events[-1]
    assert isinstance(reply, Reply)
    assert sum(isinstance(event, Reply) for event in events) == 1
    return events, reply


def test_a_question_of_the_bank_gets_its_reviewed_answer_word_for_word(tutor: Tutor, library: Library) -> None:
    _, reply = run(tutor, "por que son verdes las hojas")
    assert reply.mode == "bank"
    lesson = library.lesson(reply.sources[0].lesson)
    assert reply.text in [entry.text for entry in lesson.bank]
    assert reply.sources[0].title == lesson.title


def test_every_factual_answer_names_its_source(tutor: Tutor) -> None:
    for question in ("¿Qué es un volcán?", "quien fue simon bolivar", "cuanto es 6 por 7", "que come la llama"):
        _, reply = run(tutor, question)
        if reply.mode in ("bank", "passage", "model"):
            assert reply.sources, question


@pytest.mark.parametrize(
    "question", ["¿Quién ganó el mundial de fútbol?", "que es un agujero negro", "asdf qwerty zxcv"]
)
def test_what_the_library_does_not_hold_is_not_answered(tutor: Tutor, question: str) -> None:
    _, reply = run(tutor, question)
    assert (reply.mode, reply.text, reply.sources) == ("none", "No lo encontré en tu biblioteca.", ())


def test_the_answer_is_in_the_language_that_was_asked_for(tutor: Tutor) -> None:
    _, reply = run(tutor, "quem ganhou a copa do mundo", lang="pt")
    assert reply.text == "Não encontrei na sua biblioteca."
    _, reply = run(tutor, "o que é o cerrado", lang="pt")
    assert reply.sources[0].pack == "fundamental"


def test_a_child_in_trouble_is_sent_to_a_person(tutor: Tutor) -> None:
    _, reply = run(tutor, "ya no quiero vivir")
    assert reply.mode == "guard"
    assert "adulta de tu confianza" in reply.text


def test_a_sum_is_computed_and_points_to_its_lesson(tutor: Tutor) -> None:
    _, reply = run(tutor, "¿cuánto es 8 por 7?")
    assert (reply.text, reply.model) == ("8 × 7 = 56", "arithmetic")
    assert reply.sources[0].lesson == "primaria/3-matematicas-multiplicacion"


def test_a_search_can_be_held_to_one_lesson(tutor: Tutor) -> None:
    _, reply = run(tutor, "¿Qué es el agua?", lesson="primaria/4-ciencias-ciclo-del-agua")
    assert all(source.lesson == "primaria/4-ciencias-ciclo-del-agua" for source in reply.sources)


def test_pieces_are_the_text_and_sentences_are_whole(tutor: Tutor) -> None:
    events, reply = run(tutor, "como se alimentan las plantas")
    assert "".join(e.text for e in events if isinstance(e, Piece)).strip() == reply.text
    spoken = [e.text for e in events if isinstance(e, Sentence)]
    assert " ".join(spoken).split() == reply.text.split()


def test_stopping_ends_with_what_was_shown(tutor: Tutor) -> None:
    events = list(tutor.answer("como se alimentan las plantas", lang="es", stop=lambda: True))
    assert isinstance(events[-1], Reply)
    assert len(events) <= 2


@pytest.mark.parametrize("question", ["", "   ", "¿?", "\x00\x07", "…"])
def test_a_blank_question_is_refused_in_words(tutor: Tutor, question: str) -> None:
    with pytest.raises(EdgeError, match="blank"):
        run(tutor, question)


def test_a_question_of_100000_letters_is_refused_in_words(tutor: Tutor) -> None:
    with pytest.raises(EdgeError, match="100000 letters") as raised:
        run(tutor, "a" * 100_000)
    assert str(LONGEST_QUESTION) in raised.value.say("es")


def test_control_characters_in_a_question_are_taken_out(tutor: Tutor) -> None:
    _, plain = run(tutor, "que es un volcan")
    _, noisy = run(tutor, "\x1b que es\x00 un\x07 volcan\r\n")
    assert noisy.text == plain.text


@given(st.text(max_size=400))
def test_tidy_gives_one_printable_line_or_refuses(text: str) -> None:
    try:
        assert tidy(text).isprintable()
    except EdgeError:
        assert not any(c.isalnum() for c in text)


def asked_model(library: Library, reader: Reader, text: str) -> tuple[list[Event], Reply]:
    engine: Engine = Scripted(text)
    question = tomllib.loads((DATA / "passage_question.toml").read_text(encoding="utf-8"))["question"]
    return run(Tutor(library, lambda: reader, lambda: engine), question)


def test_an_allowed_model_may_say_what_the_passage_says(library: Library, reader: Reader) -> None:
    _, plain = asked_model(library, reader, "")
    assert plain.mode == "passage"
    sentence = sentences_of(plain.sources[0].passage)[0]
    _, reply = asked_model(library, reader, sentence)
    assert (reply.mode, reply.model, reply.text) == ("model", "scripted", sentence)
    assert reply.sources == plain.sources


def test_a_model_that_says_something_else_is_not_shown(library: Library, reader: Reader) -> None:
    _, reply = asked_model(library, reader, "Los marcianos comen 300 quesos cada día. Y cantan.")
    assert reply.mode == "passage"
    assert "marcianos" not in reply.text


def streamed(text: str) -> list[str]:
    found = generate(Scripted(text), Asking("¿Cómo nace la rana?", PASSAGES, "es"), lambda: False)
    return [event.text for event in found if isinstance(event, Written)]


def test_generated_sentences_appear_until_the_first_that_is_not_supported() -> None:
    assert streamed("La rana nace en el agua. La rana vuela a la luna. La rana pierde la cola.") == [
        "La rana nace en el agua."
    ]


def test_no_more_than_four_sentences_are_shown() -> None:
    assert len(streamed("La rana es un anfibio. " * 9)) == 4


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [
        ("La rana nace en el agua.", True),
        ("Después la rana pierde la cola.", True),
        ("La rana no nace en el agua.", False),
        ("El Paricutín nació en 1943.", True),
        ("El Paricutín nació en 1493.", False),
        ("El Paricutín nació en 1943 y la rana tiene cola.", False),
        ("La rana canta boleros en el campo.", False),
        ("", False),
    ],
)
def test_only_what_one_passage_says_is_supported(sentence: str, holds: bool) -> None:
    assert supported(sentence, PASSAGES, "es") is holds


@given(st.lists(st.sampled_from(PASSAGES[0].split()), max_size=30))
def test_cutting_into_sentences_loses_no_word(words: list[str]) -> None:
    assert " ".join(sentences_of(" ".join(words))).split() == words


class Failing(Scripted):
    """An engine whose process dies after a few letters."""

    def stream(self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool]) -> Iterator[str]:
        yield from super().stream(messages, max_tokens=max_tokens, stop=stop)
        raise ModelError("engine-lost")


@pytest.mark.parametrize("some", [0, 1])
def test_a_model_that_dies_is_named_and_the_library_answers(library: Library, reader: Reader, some: int) -> None:
    _, plain = asked_model(library, reader, "")
    question = tomllib.loads((DATA / "passage_question.toml").read_text(encoding="utf-8"))["question"]
    written = " ".join([*sentences_of(plain.sources[0].passage)[:some], "Y"]) if some else ""
    _, reply = run(Tutor(library, lambda: reader, lambda: Failing(written)), question)
    assert (reply.mode, reply.sources) == ("passage", plain.sources)
    assert reply.text.endswith(plain.text)
    assert len(reply.text) > len(plain.text) or not some
    assert reply.trouble is not None
    assert reply.trouble.key == "engine-lost"
    assert plain.trouble is None


def test_a_class_with_an_engine_asks_it_for_what_it_may_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home)
    model = next(m for m in installed_models(settings, embedded_release()) if m.kind == "lm")
    monkeypatch.setattr("edge.release.installed.model_for", lambda *_: model)
    announce(home, Place(1, "00", "another"))
    assert not isinstance(allowed_model(settings), SharedEngine)
    announce(home, Place(1, "00", model.path.stem))
    assert not isinstance(allowed_model(settings), SharedEngine), "nobody listens there any more"
    with socket.create_server(("127.0.0.1", 0)) as door:
        announce(home, Place(door.getsockname()[1], "00", model.path.stem))
        engine = allowed_model(settings)
    assert isinstance(engine, SharedEngine)
    with pytest.raises(ModelError, match="not ready"):
        list(engine.stream([{"role": "user", "content": "?"}], max_tokens=1, stop=lambda: False))
