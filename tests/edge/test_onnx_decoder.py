"""A model through onnxruntime writes what it writes through llama.cpp, and what is no such model is refused in words.

What both engines must do alike is in test_llama.py.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.llama.writing import TIE
from edge.onnx.decoder import OnnxEngine
from edge.onnx.head import read_decoder_head
from edge.tutor.engine import Message
from edge.tutor.llama import LlamaEngine
from edge.tutor.prompt import grounded
from onnx_forms import MINI, in_bits, onnx_of, random_gguf

READER = MINI.parent.parent / "reader" / "reader.onnx"
TEXT = "La raíz toma el agua del suelo y la hoja toma la luz del sol; el ñandú corre. " * 3
QUESTIONS: tuple[list[Message], ...] = (
    [{"role": "user", "content": "Cuenta un cuento: El zorro y la luna"}],
    [{"role": "system", "content": "Eres Amauta."}, {"role": "user", "content": "¿Qué es una hoja?"}],
    [{"role": "user", "content": "O que é a água?"}],
    [*grounded("¿Dónde vive la llama?", ["La llama vive en la sierra. Come pastos duros y aguanta el frío."], "es")],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    return onnx_of(MINI, folder).read_bytes()


@pytest.fixture(scope="module")
def exact(folder: Path) -> Iterator[tuple[LlamaEngine, OnnxEngine]]:
    """Both engines with the same weights in 32 bits."""
    gguf = in_bits("F32", folder)
    with LlamaEngine.open(gguf) as theirs, OnnxEngine.open(onnx_of(gguf, folder, "fp32"), threads=1) as ours:
        yield theirs, ours


def scores(engine: LlamaEngine | OnnxEngine, tokens: list[int]) -> Any:
    import numpy as np

    return np.concatenate(list(engine.scores_of(tokens)))


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
def test_both_engines_write_the_same_text(exact: tuple[LlamaEngine, OnnxEngine], question: list[Message]) -> None:
    theirs, ours = ("".join(engine.stream(question, max_tokens=48)) for engine in exact)
    assert ours == theirs
    assert ours.strip()


def test_they_write_in_the_same_shape_when_they_are_held_to_one(exact: tuple[LlamaEngine, OnnxEngine]) -> None:
    answers = ["".join(e.stream(QUESTIONS[0], max_tokens=24, shape='root ::= [a-z]+ "!" ')) for e in exact]
    assert answers[0] == answers[1]
    assert answers[0].strip("!").isascii()


def test_guesses_ahead_change_no_letter(exact: tuple[LlamaEngine, OnnxEngine]) -> None:
    _, ours = exact
    question: list[Message] = [{"role": "user", "content": f"Copia: {TEXT}"}]
    ours.guessing = False
    plain = "".join(ours.stream(question, max_tokens=60))
    ours.guessing = True
    assert "".join(ours.stream(question, max_tokens=60)) == plain


def test_tokens_prompt_and_ends_are_those_of_the_gguf(exact: tuple[LlamaEngine, OnnxEngine]) -> None:
    theirs, ours = exact
    assert ours.vocabulary_size == theirs.vocabulary_size
    for text in (TEXT, "Ñandú 😀 12 345\n\tmbaʼéichapa", "<|im_end|>"):
        assert ours.tokens_of(text, special=True) == theirs.tokens_of(text, special=True)
    assert ours.prompt_of(QUESTIONS[1]) == theirs.prompt_of(QUESTIONS[1])
    assert all(ours.ends(n) == theirs.ends(n) for n in range(64))


@pytest.mark.parametrize(("bits", "kind"), [("Q8_0", "int8"), ("Q4_0", "int4")])
def test_what_is_in_blocks_already_keeps_its_scores(tmp_path: Path, bits: str, kind: str) -> None:
    gguf = MINI if bits == "Q8_0" else in_bits(bits, tmp_path)
    with LlamaEngine.open(gguf) as theirs, OnnxEngine.open(onnx_of(gguf, tmp_path, kind)) as ours:
        tokens = theirs.tokens_of(TEXT)
        one, other = scores(theirs, tokens), scores(ours, tokens)
    # Both round activations to 8 bits, each in its own way.
    assert abs(one - other).mean() < 0.02 * one.std()
    assert (one.argmax(axis=1) == other.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize(
    ("family", "made"),
    [("llama", {"slow": True}), ("llama", {"stretch": 4.0}), ("qwen2", {"bias": True})],
    ids=["Llama 3's positions", "stretched positions", "Qwen's halves and biases"],
)
def test_other_families_compute_what_llama_cpp_computes(tmp_path: Path, family: str, made: dict[str, Any]) -> None:
    pytest.importorskip("gguf", reason="needs the extra quantize")
    gguf = random_gguf(tmp_path / "random.gguf", family, **made)
    with LlamaEngine.open(gguf) as theirs, OnnxEngine.open(onnx_of(gguf, tmp_path, "fp32")) as ours:
        tokens = theirs.tokens_of(TEXT)
        one, other = scores(theirs, tokens), scores(ours, tokens)
    assert abs(one - other).max() < 0.02 * one.std()


def test_scores_do_not_depend_on_how_the_text_was_cut(folder: Path, whole: bytes) -> None:
    (folder / "parts.onnx").write_bytes(whole)
    with OnnxEngine.open(folder / "parts.onnx", threads=1) as engine:
        tokens = engine.tokens_of(TEXT)
        together = next(iter(engine.scores_of(tokens, start=len(tokens) - 1)))[0]
        engine._memory.forget()  # type: ignore[union-attr]
        for end in range(1, len(tokens) + 1):
            alone = next(iter(engine.scores_of(tokens[:end], start=end - 1)))[0]
    assert together.argmax() == alone.argmax() or abs(together - alone).max() < TIE
    assert (together - alone).std() < 0.05 * together.std()


def test_a_stop_in_a_long_question_leaves_what_was_read(folder: Path, whole: bytes) -> None:
    (folder / "stop.onnx").write_bytes(whole)
    question: list[Message] = [{"role": "user", "content": TEXT * 4}]
    with OnnxEngine.open(folder / "stop.onnx") as engine:
        full = "".join(engine.stream(question, max_tokens=8))
        engine._memory.forget()  # type: ignore[union-attr]
        asked: list[int] = []
        assert list(engine.stream(question, max_tokens=8, stop=lambda: asked.append(1) or len(asked) > 4)) == []
        assert 0 < len(engine._memory.past) < len(engine.tokens_of(TEXT * 4))  # type: ignore[union-attr]
        assert "".join(engine.stream(question, max_tokens=8)) == full


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
@example(0.0)
@example(0.5)
@example(0.999999)
def test_a_cut_file_is_refused_before_onnxruntime_sees_it(folder: Path, whole: bytes, part: float) -> None:
    path = folder / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ModelError) as caught:
        read_decoder_head(path)
    assert caught.value.key in ("model-truncated", "model-not-onnx")
    assert str(path) in caught.value.say("pt")


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8))
def test_a_damaged_head_is_read_or_refused_and_nothing_else(
    folder: Path, whole: bytes, at: float, noise: bytes
) -> None:
    content = bytearray(whole)
    start = len(content) - int(at * 120_000) - len(noise)
    content[start : start + len(noise)] = noise
    (folder / "noise.onnx").write_bytes(content)
    with suppress(ModelError):
        read_decoder_head(folder / "noise.onnx")


@pytest.mark.parametrize(
    "content",
    [b"", b"GGUF", MINI.read_bytes()[:5000], b"PK\x03\x04 a zip", READER.read_bytes()],
    ids=["nothing", "four letters", "a GGUF", "a zip", "the reader"],
)
def test_what_is_no_model_for_us_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "algo.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        OnnxEngine.open(path)
    assert caught.value.key == "model-not-onnx"
    assert len(caught.value.say("es").splitlines()) == 2


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    for path in (tmp_path / "nada.onnx", tmp_path):
        with pytest.raises(ModelError) as caught:
            OnnxEngine.open(path)
        assert caught.value.key == "model-unreadable"


def test_a_graph_that_does_not_fit_its_note_is_refused_in_words(tmp_path: Path, folder: Path, whole: bytes) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(whole)
    del model.graph.node[3:5]
    for name, change in (
        ("nodes", model),
        ("layers", onnx.load_from_string(whole.replace(b'"layers": 8', b'"layers": 7'))),
    ):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(change.SerializeToString())
        with pytest.raises(ModelError) as caught:
            OnnxEngine.open(path)
        assert caught.value.key in ("model-refused", "model-broken")


def test_importing_the_engine_loads_nothing_heavy() -> None:
    code = "import sys, edge.onnx.decoder, edge.onnx.choice; print({'llama_cpp', 'numpy', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_lesson_that_was_prepared_is_read_from_disk(tmp_path: Path, folder: Path, whole: bytes) -> None:
    (folder / "kept.onnx").write_bytes(whole)
    lesson = f"{TEXT}\n"
    question: list[Message] = [{"role": "user", "content": f"{lesson}¿Qué toma la raíz?", "stable": len(lesson)}]
    with OnnxEngine.open(folder / "kept.onnx", threads=1) as engine:
        fresh = "".join(engine.stream(question, max_tokens=24))
        engine.keep_beginnings(tmp_path / "kept", "ab" * 32)
        engine._memory.forget()  # type: ignore[union-attr]
        assert engine.prepare(question, stop=lambda: True) is None, "stopped"
        there = engine.prepare(question)
        assert there is not None
        assert engine.prepare(question) == there
    with OnnxEngine.open(folder / "kept.onnx", threads=1) as engine:
        engine.keep_beginnings(tmp_path / "kept", "ab" * 32)
        read: list[int] = []
        engine._memory._run = count(read, engine._memory._run)  # type: ignore[union-attr, method-assign]
        assert "".join(engine.stream(question, max_tokens=24)) == fresh
        assert sum(read) < len(engine.tokens_of(lesson)), "the lesson came from disk"
        there.write_bytes(there.read_bytes()[:-4])
        engine._memory.forget()  # type: ignore[union-attr]
        assert "".join(engine.stream(question, max_tokens=24)) == fresh
        assert not there.exists(), "what is damaged is thrown away"


def count(read: list[int], run: Callable[..., None]) -> Callable[..., None]:
    def counted(part: list[int], **named: bool) -> None:
        read.append(len(part))
        run(part, **named)

    return counted


def test_a_new_question_ends_one_that_is_still_being_read(folder: Path, whole: bytes) -> None:
    (folder / "turns.onnx").write_bytes(whole)
    with OnnxEngine.open(folder / "turns.onnx", threads=1) as engine:
        other = "".join(engine.stream(QUESTIONS[2], max_tokens=6))
        began, asked = threading.Event(), []

        def stop() -> bool:
            began.set()
            time.sleep(0.01)  # a slow machine
            return False

        old = threading.Thread(
            target=lambda: asked.extend(
                engine.stream([{"role": "user", "content": TEXT * 5}], max_tokens=40, stop=stop)
            )
        )
        old.start()
        began.wait()
        assert "".join(engine.stream(QUESTIONS[2], max_tokens=6)) == other
        old.join(5)
        assert not old.is_alive()
        assert asked == []
