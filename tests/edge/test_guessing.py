"""Guessing ahead makes answers that copy faster, and changes no letter of any answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llama import writing
from edge.llama.guessing import LONGEST, MOST, SHORTEST, Guesser
from edge.llama.history import fit
from edge.llama.reading import Reading
from edge.tutor.llama import LlamaEngine
from edge.tutor.prompt import grounded

MINI = Path(__file__).parent.parent.parent / "edge" / "models" / "mini" / "mini.gguf"
PASSAGE = "La llama vive en la sierra. Come pastos duros y aguanta el frío. Su lana sirve para hacer ponchos."
QUESTIONS = (
    "¿Dónde vive la llama?",
    "¿Qué come?",
    "Copia el texto.",
    "Copia: la llama vive en la sierra, la llama vive en la sierra, la llama vive",
    "¿Para qué sirve su lana?",
    "Escribe los números: uno dos tres uno dos tres uno dos tres uno dos",
)

token_lists = st.lists(st.integers(0, 3), max_size=60)


@pytest.fixture(scope="module")
def mini() -> Iterator[LlamaEngine]:
    with LlamaEngine.open(MINI) as engine:
        yield engine


def answers(engine: LlamaEngine, *, guessing: bool) -> list[str]:
    engine.guessing = guessing
    return ["".join(engine.stream(grounded(q, [PASSAGE], "es"), max_tokens=60)) for q in QUESTIONS]


def test_the_text_is_the_same_with_and_without_guesses(mini: LlamaEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    plain_read = Reading.read

    def read(self: Reading, tokens: list[int], *args: object, **named: object) -> bool:
        steps.append(len(tokens))
        return plain_read(self, tokens, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Reading, "read", read)
    plain = answers(mini, guessing=False)
    without = len(steps)
    assert answers(mini, guessing=True) == plain
    assert len(steps) - without < without, "some guesses were right"
    assert any(1 < count <= 1 + MOST for count in steps[without:])


def test_what_a_batch_cannot_tell_for_certain_is_computed_alone(
    mini: LlamaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = answers(mini, guessing=False)
    monkeypatch.setattr(writing, "TIE", float("inf"))
    assert answers(mini, guessing=True) == plain


def test_a_guess_never_writes_beyond_the_room_asked_for(mini: LlamaEngine) -> None:
    mini.guessing = True
    messages = grounded(QUESTIONS[3], [PASSAGE], "es")
    for most in range(1, 12):
        fitted = fit(messages, mini._vocabulary.conversation, mini.context_tokens)
        assert len(list(mini._answer(fitted, most, lambda: False))) <= most


@given(token_lists, token_lists)
def test_what_is_guessed_did_follow_the_same_tokens_before(question: list[int], answer: list[int]) -> None:
    guesser = Guesser(question)
    for token in answer:
        guesser.append(token)
    whole = question + answer
    guess = guesser.guess()
    if not guess:
        return
    for length in range(LONGEST, SHORTEST - 1, -1):
        ends = [at for at in range(length, len(whole)) if whole[at - length : at] == whole[-length:]]
        if ends:
            assert guess == whole[ends[-1] : ends[-1] + length - 1]
            return
    pytest.fail("nothing like it stood there")


@given(token_lists, st.integers(0, MOST))
def test_no_more_is_guessed_than_asked_for(tokens: list[int], most: int) -> None:
    assert len(Guesser(tokens).guess(most)) <= most


def test_guesses_that_are_wrong_become_rare_and_right_ones_return() -> None:
    guesser = Guesser([1, 2, 3, 4] * 3)
    asked = 0
    for _ in range(400):
        if guess := guesser.guess():
            asked += 1
            guesser.learn(len(guess), 0, 0.8)
    assert asked <= 8, "four hundred tokens that never repeat pay for a few guesses only"
    while not (guess := guesser.guess()):
        pass
    guesser.learn(len(guess), len(guess), 0.8)
    assert guesser.guess()
