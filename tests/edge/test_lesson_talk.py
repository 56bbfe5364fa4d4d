"""Talking about one lesson: the model reads it once, remembers what was asked about it, and is held to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edge.library.folder import EMBEDDED
from edge.library.library import Library
from edge.llama.history import beginning_of
from edge.llama.sequences import Part, Sequences
from edge.settings import Settings
from edge.shared.desk import Desk, Request
from edge.shared.room import opened
from edge.tutor import workshop
from edge.tutor.engine import Message
from edge.tutor.prompt import Turn, about_lesson, fits, lesson_text
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply, Waiting
from edge.tutor.turn import Tutor
from school import school

LESSON = "primaria/1-matematicas-contar-hasta-100"
QUESTION = "¿Qué vende Rosa en el mercado?"
ANSWER = "Rosa vende huevos en el mercado."
OTHER = "El último número te dice cuántas cosas hay."


class Scripted:
    """An engine that says what it was told to say, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, text: str, context_tokens: int = 2048, *, place: int = 0) -> None:
        self._text, self.context_tokens, self._place = text, context_tokens, place
        self.asked: list[list[Message]] = []

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[str | Waiting]:
        self.asked.append(list(messages))
        if self._place:
            yield Waiting(self._place, 20.0)
        yield self._text


@pytest.fixture(scope="module")
def library(shared_index: Path) -> Library:
    return Library.of_folders([EMBEDDED / "primaria", EMBEDDED / "fundamental"], shared_index)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open()


def asked(library: Library, reader: Reader, engine: Scripted, question: str, *before: Turn) -> Reply:
    tutor = Tutor(library, lambda: reader, lambda: engine)
    reply = list(tutor.answer(question, lang="es", lesson=LESSON, before=before))[-1]
    assert isinstance(reply, Reply)
    return reply


def test_within_a_lesson_the_model_is_given_all_of_it_first_and_marked_as_what_stays(
    library: Library, reader: Reader
) -> None:
    engine = Scripted(ANSWER)
    reply = asked(library, reader, engine, QUESTION)
    assert (reply.mode, reply.text) == ("model", ANSWER)
    [[system, question]] = engine.asked
    whole = lesson_text(library.lesson(LESSON).text)
    assert system["role"] == "system"
    assert question["content"][: question["stable"]] == f"Texto: {whole}\n"
    assert question["content"][question["stable"] :] == f"Pregunta: {QUESTION}"
    assert all(line in whole for line in ("Rosa vende huevos", "Para comparar"))


def test_what_was_asked_before_stands_between_and_the_beginning_is_the_same(library: Library, reader: Reader) -> None:
    engine = Scripted(ANSWER)
    asked(library, reader, engine, QUESTION)
    asked(library, reader, engine, QUESTION, Turn("¿Qué es contar?", "Decir números."))
    first, second = engine.asked
    stable = first[1]["stable"]
    assert second[1]["content"][:stable] == first[1]["content"][:stable]
    assert [m["role"] for m in second] == ["system", "user", "assistant", "user"]
    assert [m["content"][-30:] for m in second[2:]] == ["Decir números.", f"Pregunta: {QUESTION}"[-30:]]


def test_and_why_is_understood_from_what_was_asked_before_and_still_checked(library: Library, reader: Reader) -> None:
    before = Turn(QUESTION, ANSWER)
    reply = asked(library, reader, Scripted(OTHER), "¿y por qué?", before)
    assert (reply.mode, reply.text) == ("model", OTHER)
    [source] = reply.sources
    assert OTHER in source.passage
    assert source.lesson == LESSON
    for said in ("Porque los marcianos compran 300 quesos.", ""):
        reply = asked(library, reader, Scripted(said), "¿y por qué?", before)
        assert (reply.mode, reply.sources) == ("none", ())
    assert asked(library, reader, Scripted(OTHER), "¿y por qué?").mode == "none", "nothing was asked before"


def test_the_source_is_the_passage_that_holds_what_the_model_said(library: Library, reader: Reader) -> None:
    engine = Scripted("En la ciudad hay más casas, calles y autos. Rosa vende huevos en el mercado.")
    reply = list(Tutor(library, lambda: reader, lambda: engine).answer(QUESTION, lang="es"))[-1]
    assert isinstance(reply, Reply)
    assert reply.mode == "model"
    for sentence, source in zip(("casas, calles y autos", "Rosa vende huevos"), reply.sources, strict=True):
        assert sentence in source.passage


def test_what_the_library_finds_in_a_lesson_is_found_by_who_asks_about_that_lesson(
    library: Library, reader: Reader
) -> None:
    tutor = Tutor(library, lambda: reader, lambda: None)
    everywhere, within = (list(tutor.answer(QUESTION, lang="es", lesson=lesson))[-1] for lesson in (None, LESSON))
    assert isinstance(everywhere, Reply)
    assert isinstance(within, Reply)
    assert everywhere.sources == within.sources
    assert within.mode == "passage"


def test_a_lesson_that_leaves_no_room_is_asked_about_by_its_passages(library: Library, reader: Reader) -> None:
    engine = Scripted(ANSWER, context_tokens=512)
    assert asked(library, reader, engine, QUESTION, Turn("a", "b")).mode == "model"
    [[_, question]] = engine.asked
    assert "stable" not in question
    text = lesson_text(library.lesson(LESSON).text)
    assert fits(QUESTION, text, 2048, 160)
    assert not fits(QUESTION, text, 512, 160)


def test_the_place_in_the_queue_is_told_before_the_answer(library: Library, reader: Reader) -> None:
    tutor = Tutor(library, lambda: reader, lambda: Scripted(ANSWER, place=3))
    events = list(tutor.answer(QUESTION, lang="es", lesson=LESSON))
    assert events[0] == Waiting(3, 20.0)
    bank = list(tutor.answer("¿Cómo se alimentan las plantas?", lang="es"))
    assert not [event for event in bank if isinstance(event, Waiting)], "a reviewed answer waits for nobody"


def test_the_second_question_and_a_fresh_start_do_not_read_the_lesson_again(
    home: Path, library: Library, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(home / "cache"))
    settings = school(home)
    tutor = workshop.open_tutor(settings, library)
    before: tuple[Turn, ...] = ()
    most: list[int] = []
    for question in (QUESTION, "¿y por qué?", QUESTION):
        reads.clear()
        reply = list(tutor.answer(question, lang="es", lesson=LESSON, before=before))[-1]
        assert isinstance(reply, Reply)
        before = (*before, Turn(question, "Vende huevos."))
        most.append(max(reads))
    assert most[0] > 300
    assert max(most[1:]) < 60
    reads.clear()
    list(workshop.open_tutor(settings, library).answer(QUESTION, lang="es", lesson=LESSON))
    assert max(reads) < 60
    assert len(list((home / "cache" / "beginnings").iterdir())) == 1


def test_no_model_answers_where_no_card_allows_it(home: Path) -> None:
    assert workshop.model_that_may_answer(Settings(home)) is None
    assert (found := workshop.model_that_may_answer(school(home))) is not None
    assert found.id == "escuela"


def soon(there: Callable[[], object]) -> None:
    """Wait for the disk, which nobody else does."""
    end = time.monotonic() + 20
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_class_reads_a_lesson_once_and_finds_what_was_prepared_for_one_person(
    home: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAUTA_CACHE", str(home / "cache"))
    settings = school(home)
    model = workshop.model_to_prepare(settings)
    text = lesson_text(library.lesson(LESSON).text)
    counts: list[int] = []
    plain = Sequences.read

    def read(self: Sequences, parts: list[Part], *args: object) -> object:
        counts.append(sum(len(part.tokens) for part in parts))
        return plain(self, parts, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Sequences, "read", read)

    def hour(*questions: str) -> list[int]:
        """Let one pupil after the other ask in a class of its own; return how much was read for each."""
        found = []
        with opened(model.path, 3) as room:
            kept = workshop.class_beginnings(model, None, None)
            desk = Desk(room.sequences, 3, room.vocabulary.ends, beginnings=kept)
            for question in questions:
                counts.clear()
                messages = about_lesson(question, text, (), "es")
                tokens = room.vocabulary.conversation(messages)
                start = beginning_of(messages, tokens, room.vocabulary.conversation)
                desk.ask(Request(question, tokens, 1, lambda _event: None, beginning=start))
                while desk.round():
                    pass
                found.append(sum(counts))
        return found

    first, second = hour(QUESTION, "¿Qué dice el último número?")
    assert first > 300
    assert second < 60
    folder = home / "cache" / "beginnings"
    soon(lambda: list(folder.glob("*.kv")))
    assert hour(QUESTION)[0] < 60, "a new hour finds it on disk"
    (path,) = folder.glob("*.kv")
    path.write_bytes(path.read_bytes()[:-9] + b"damaged!!")
    assert hour(QUESTION)[0] == first
    soon(path.exists)
    path.unlink()
    with workshop.open_model(settings, model) as engine:
        assert engine.prepare(about_lesson("?", text, (), "es"))
    assert hour(QUESTION)[0] < 60, "what one person's engine prepared serves the class"
