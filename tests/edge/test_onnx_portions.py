"""An ONNX model says the same of the same question, however much of it is read at once and whatever stands in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.onnx.decoder import OnnxEngine
from edge.onnx.memory import Memory
from edge.tutor.engine import Message
from onnx_forms import MINI, onnx_of

QUESTION: list[Message] = [
    {"role": "system", "content": "Eres Amauta."},
    {"role": "user", "content": "La llama vive en la sierra y come pastos duros. ¿Dónde vive la llama? Cuéntalo."},
]
WAYS = ([1] * 200, [2] * 100, [31, 1, 7, *[1, 2] * 50], [64] * 3)


@pytest.fixture(scope="module", params=["int8", "int4"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnnxEngine]:
    with OnnxEngine.open(onnx_of(MINI, tmp_path_factory.mktemp("onnx"), request.param)) as ready:
        yield ready


def memory_of(engine: OnnxEngine) -> Memory:
    assert engine._memory is not None
    return engine._memory


def read_in(memory: Memory, tokens: list[int], sizes: list[int], saved: Path) -> tuple[Any, bytes]:
    """Read tokens in portions of these sizes; return the scores of all that may follow, and all of the memory."""
    memory.forget()
    rows, at = [], 0
    while at < len(tokens):
        size = sizes[len(rows)]
        memory.read(tokens[at : at + size], every=True)
        rows.append(np.array(memory.rows()))
        at += size
    memory.save(saved, len(tokens))
    return np.concatenate(rows), saved.read_bytes()


def test_scores_and_memory_are_the_same_to_the_bit_whatever_is_read_at_once(engine: OnnxEngine, tmp_path: Path) -> None:
    memory, chance = memory_of(engine), random.Random(3)
    tokens = [chance.randrange(3, engine.vocabulary_size) for _ in range(120)]
    scores, kept = read_in(memory, tokens, [32] * 4, tmp_path / "kept")
    for sizes in WAYS:
        again, kept_again = read_in(memory, tokens, sizes, tmp_path / "kept")
        assert np.array_equal(scores, again)
        assert kept == kept_again


def test_a_question_is_answered_the_same_after_any_other_and_by_a_machine_however_slow(engine: OnnxEngine) -> None:
    memory = memory_of(engine)

    def asked(*, portion: int, guessing: bool) -> str:
        memory._portion, engine.guessing = portion, guessing  # a busy machine reads in small portions
        return "".join(engine.stream(QUESTION, max_tokens=40))

    memory.forget()
    first = asked(portion=32, guessing=True)
    assert asked(portion=1, guessing=False) == first  # all of it stands in memory, its answer too
    follow: list[Message] = [
        *QUESTION,
        {"role": "assistant", "content": first},
        {"role": "user", "content": "¿Y qué come?"},
    ]
    after = "".join(engine.stream(follow, max_tokens=40))
    memory.forget()
    assert asked(portion=1, guessing=True) == first
    memory.forget()
    assert "".join(engine.stream(follow, max_tokens=40)) == after  # what it wrote itself, read as others' words


def test_the_last_place_of_the_memory_can_be_read_into(engine: OnnxEngine) -> None:
    memory = memory_of(engine)
    memory.forget()
    tokens = [5 + n % 90 for n in range(engine.context_tokens)]
    assert memory.read(tokens[:-1])
    assert memory.read(tokens[-1:])
    assert len(memory.past) == engine.context_tokens
