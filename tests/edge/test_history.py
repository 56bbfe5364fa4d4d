"""A long conversation stays in memory: system line, lesson and question always, the oldest turns go, the rest moves up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.llama.brake import never
from edge.llama.history import LEAST_MOVED, Kept, fit, reuse, turns_of, without
from edge.llama.reading import SEQUENCE, Reading
from edge.llama.sequences import Part, Sequences
from edge.shared.desk import Desk, Request
from edge.shared.room import Room, opened
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
LESSON = "Texto: " + "La planta toma agua del suelo por la raíz y la lleva por el tallo hasta las hojas. " * 6 + "\n"
MOST = 12


def talk(questions: Sequence[str], answers: Sequence[str], lesson: str = LESSON) -> list[Message]:
    """The conversation up to its last question."""
    messages: list[Message] = [{"role": "system", "content": "Eres Amauta."}]
    for number, question in enumerate(questions):
        if number:
            messages += [{"role": "assistant", "content": answers[number - 1]}, {"role": "user", "content": question}]
        else:
            messages.append({"role": "user", "content": lesson + question, "stable": len(lesson)})
    return messages


QUESTIONS = [f"Pregunta: ¿Y qué hace la hoja número {number} cuando llueve mucho en la sierra?" for number in range(11)]


def plain_tokens(messages: Sequence[Message]) -> list[int]:
    """A token for each letter, and marks around each message."""
    found: list[int] = []
    for message in messages:
        found += [-len(message["role"]), *map(ord, message["content"]), -1]
    return [*found, -9]


def paired_tokens(messages: Sequence[Message]) -> list[int]:
    """Two letters make one token, so that what stands before a text changes its tokens."""
    found: list[int] = []
    for message in messages:
        content = message["content"]
        pairs = [content[at : at + 2] for at in range(0, len(content), 2)]
        found += [-len(message["role"]), *(hash(pair) for pair in pairs), -1]
    return [*found, -9]


texts = st.text("abc", min_size=1, max_size=30)


@settings(max_examples=80)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=12), texts, st.integers(60, 250), st.booleans())
def test_memory_always_holds_exactly_what_was_read_of_the_conversation(
    turns: list[tuple[str, str]], lesson: str, room: int, pairs: bool
) -> None:
    tokens_of = paired_tokens if pairs else plain_tokens
    memory: list[int] = []
    for last in range(len(turns)):
        messages = talk([q for q, _ in turns[: last + 1]], [a for _, a in turns[:last]], lesson)
        fitted = fit(messages, tokens_of, room)
        assert len(fitted.tokens) <= room or fitted.dropped == last
        assert fitted.dropped == 0 or len(tokens_of(without(messages, fitted.dropped - 1))) > room
        assert fitted.messages[0] == messages[0]
        assert fitted.messages[1]["content"].startswith(lesson)
        assert fitted.messages[-1]["content"].endswith(turns[last][0])
        kept = reuse(memory, fitted.tokens, fitted.longer)
        memory = memory[: kept.until]
        memory = memory[: kept.head] + memory[kept.head + kept.gap :]
        assert len(memory) == kept.length
        assert memory == fitted.tokens[: kept.length]
        memory = fitted.tokens + [ord(letter) for letter in turns[last][1]]


def test_another_conversation_with_the_same_words_is_not_moved() -> None:
    lesson, same = "x" * 40, "y" * 40
    mine = talk(["a" * 50, same], ["b" * 50], lesson)
    fitted = fit(mine, plain_tokens, 100)
    assert fitted.dropped == 1
    theirs = plain_tokens(talk(["c" * 50, same], ["b" * 50], lesson))
    kept = reuse(theirs, fitted.tokens, fitted.longer)
    assert kept.gap == 0, "what somebody else asked before shows in the memory of the same words"
    own = plain_tokens(mine)
    assert reuse(own, fitted.tokens, fitted.longer).length > len(lesson) + LEAST_MOVED
    assert reuse([], fitted.tokens, fitted.longer) == Kept(0, 0, 0)


def test_where_a_border_becomes_another_token_nothing_is_moved() -> None:
    turns = [(f"pregunta {number} " * 4, f"respuesta {number} " * 4) for number in range(6)]
    for lesson, moved in (("abcd" * 10, True), ("abcd" * 10 + "x", False)):
        messages = talk([q for q, _ in turns], [a for _, a in turns[:-1]], lesson)
        whole = paired_tokens(messages)
        fitted = fit(messages, paired_tokens, len(whole) - 10)
        assert fitted.dropped == 1
        kept = reuse(whole, fitted.tokens, fitted.longer)
        assert (kept.gap > 0) is moved
        memory = whole[: kept.until]
        assert memory[: kept.head] + memory[kept.head + kept.gap :] == fitted.tokens[: kept.length]


def test_a_newer_lesson_takes_the_place_of_the_older_one() -> None:
    messages = talk(["uno", "dos"], ["sí"], "Lección A.\n")
    messages[-1] = {"role": "user", "content": "Lección B.\ndos", "stable": len("Lección B.\n")}
    messages += [{"role": "assistant", "content": "no"}, {"role": "user", "content": "tres"}]
    assert [m["content"] for m in without(messages, 1)] == ["Eres Amauta.", "Lección B.\ndos", "no", "tres"]
    assert [m["content"] for m in without(messages, 2)] == ["Eres Amauta.", "Lección B.\ntres"]
    assert without(messages, 3) == messages, "the last question always stays"
    assert turns_of(messages) == 3


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens were given to the model, batch by batch."""
    counts: list[int] = []
    plain = Reading._decode

    def decode(self: Reading, part: Sequence[int], *args: object, **named: object) -> bool:
        counts.append(len(part))
        return plain(self, part, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Reading, "_decode", decode)
    return counts


def test_a_conversation_without_end_is_answered_and_only_what_is_new_is_read(batches: list[int]) -> None:
    answers: list[str] = []
    with LlamaEngine.open(MINI) as engine:
        for last in range(len(QUESTIONS)):
            messages = talk(QUESTIONS[: last + 1], answers)
            fitted = fit(messages, engine._vocabulary.conversation, engine.context_tokens - MOST)
            batches.clear()
            answers.append("".join(engine.stream(messages, max_tokens=MOST)))
            reading = engine._reading
            assert reading.past[: len(fitted.tokens)] == fitted.tokens
            assert _places(reading) == (0, len(reading.past) - 1)
            assert np.isfinite(reading.scores()).all()
            assert last == 0 or sum(batches) < 60 + 4 * MOST, "the lesson and the turns before were in memory"
        assert fitted.dropped > 2
        assert LESSON in fitted.messages[1]["content"]
        moved = reading.scores().copy()
        anew = Reading(engine._library, engine._context, "mini", engine.vocabulary_size, 256)
        anew.forget()
        anew.read(reading.past)
        alike = np.corrcoef(moved, anew.scores())[0, 1]
    assert alike > 0.9, "what moved up counts as if it had been read there"


def _places(reading: Reading) -> tuple[int, int]:
    api, memory = reading._api, reading._memory()
    return api.llama_memory_seq_pos_min(memory, SEQUENCE), api.llama_memory_seq_pos_max(memory, SEQUENCE)


def test_the_lesson_and_the_question_alone_must_fit(batches: list[int]) -> None:
    with LlamaEngine.open(MINI) as engine, pytest.raises(ModelError, match="shorter question"):
        list(engine.stream(talk([QUESTIONS[0]] * 3, ["sí"] * 2, LESSON * 4), max_tokens=8))


@pytest.fixture(scope="module")
def mini() -> Iterator[LlamaEngine]:
    with LlamaEngine.open(MINI) as engine:
        yield engine


steps = st.one_of(
    st.tuples(st.just("read"), st.lists(st.integers(300, 800), min_size=20, max_size=30)),
    st.tuples(st.just("cut"), st.integers(10, 60)),
    st.tuples(st.just("drop"), st.tuples(st.integers(0, 10), st.integers(1, 9))),
    st.tuples(st.just("stopped"), st.lists(st.integers(300, 800), min_size=1, max_size=30)),
)


@settings(max_examples=30)
@given(todo=st.lists(steps, max_size=12))
def test_places_in_memory_follow_the_books_whatever_happens(mini: LlamaEngine, todo: list[tuple[str, object]]) -> None:
    reading, books = mini._reading, list[int]()
    reading.forget()
    for what, with_ in todo:
        if what == "read" and len(books) < 400:
            assert reading.read(with_)  # type: ignore[arg-type]
            books += with_  # type: ignore[operator]
        elif what == "stopped" and not reading._moved:
            assert not reading.read(with_, lambda: True)  # type: ignore[arg-type]
        elif what == "cut":
            assert reading.cut(with_)  # type: ignore[arg-type]
            del books[with_:]  # type: ignore[misc]
        elif what == "drop":
            start, count = with_  # type: ignore[misc]
            if start + count <= len(books):
                assert reading.drop(start, start + count)
                del books[start : start + count]
        assert reading.past == books
        assert _places(reading) == ((0, len(books) - 1) if books else (-1, -1))
    assert reading.read([400])
    assert np.isfinite(reading.scores()).all()


def test_a_stop_never_leaves_memory_half_moved(mini: LlamaEngine) -> None:
    reading, tokens = mini._reading, mini.tokens_of(LESSON * 2)
    found = []
    for stop in (never, lambda: True):
        reading.forget()
        reading.read(tokens[:120])
        reading.drop(20, 80)
        assert reading.read(tokens[120:122], stop) is (stop is never)
        reading.cut(61)
        assert reading.past == tokens[:20] + tokens[80:121]
        reading.read(tokens[121:123])
        found.append(reading.scores().copy())
    assert np.abs(found[0] - found[1]).max() < 0.05


def test_where_a_model_cannot_move_its_memory_the_rest_is_read_again(
    mini: LlamaEngine, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    messages = talk(QUESTIONS, ["La hoja respira."] * (len(QUESTIONS) - 1))
    moved = "".join(mini.stream(messages, max_tokens=MOST))
    monkeypatch.setattr(mini._api, "llama_memory_can_shift", lambda _: False)
    fitted = fit(messages, mini._vocabulary.conversation, mini.context_tokens - MOST)
    assert fitted.longer
    mini._reading.forget()
    mini._reading.read(fitted.longer[0][:480])
    batches.clear()
    assert "".join(mini.stream(messages, max_tokens=MOST)) == moved
    assert batches[0] > 100
    assert mini._reading.past[: len(fitted.tokens)] == fitted.tokens


class Pupils:
    """Pupils whose questions are answered by one model, with what was read counted."""

    def __init__(self, room: Room, seats: int) -> None:
        self.room, self.read = room, 0
        self.desk = Desk(room.sequences, seats, room.vocabulary.ends)

    def ask(self, who: str, messages: Sequence[Message]) -> list[int]:
        fitted, heard = self.room.fit(messages, MOST), list[int]()
        request = Request(who, fitted.tokens, MOST, lambda e: heard.append(e.get("token", -1)), fitted.longer)  # type: ignore[arg-type]
        self.desk.ask(request)
        while self.desk.round():
            pass
        assert self.room.sequences.past[request.sequence][: len(fitted.tokens)] == fitted.tokens
        return [token for token in heard if token >= 0]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    plain = Sequences.read

    def read(self: Sequences, parts: Sequence[Part], *args: object) -> dict[int, int] | None:
        counts.append(sum(len(part.tokens) for part in parts))
        return plain(self, parts, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Sequences, "read", read)
    return counts


def test_in_a_class_everybody_finds_the_own_conversation_again(counted: list[int]) -> None:
    with opened(MINI, 3) as room:
        pupils = Pupils(room, 3)
        answers: dict[str, list[str]] = {"Ana": [], "Beto": []}
        for last in range(9):
            for who, said in answers.items():
                counted.clear()
                asked = [f"{question} Pregunta {who}." for question in QUESTIONS[: last + 1]]
                found = pupils.ask(who, talk(asked, said))
                said.append(b"".join(map(room.vocabulary.piece, found)).decode("utf-8", "replace"))
                if last:
                    assert sum(counted) < 100 + MOST, f"{who} had to be read again at question {last}"
        assert room.fit(talk(asked, answers["Beto"]), MOST).dropped > 0
        places = [room.sequences._api.llama_memory_seq_pos_max(room.sequences._memory(), n) for n in range(3)]
        assert places == [len(past) - 1 for past in room.sequences.past]


def test_what_two_conversations_share_is_never_moved_under_the_other(counted: list[int]) -> None:
    with opened(MINI, 2) as room:
        sequences = room.sequences
        tokens = room.vocabulary.tokens_of(LESSON)[:60]
        sequences.read([Part(0, tuple(tokens), True)])
        sequences.copy(0, 1, 50)
        assert not sequences.drop(0, 10, 20), "the places from 20 to 50 are those of the other one too"
        assert not sequences.drop(1, 10, 20)
        assert sequences.drop(0, 40, 55), "what follows is its own"
        assert sequences.past == [tokens[:40] + tokens[55:], tokens[:50]]
        first = sequences.read([Part(1, (tokens[50],), True)])
        with opened(MINI, 2) as other:
            other.sequences.read([Part(1, tuple(tokens[:50]), False)])
            assert other.sequences.read([Part(1, (tokens[50],), True)]) == first
