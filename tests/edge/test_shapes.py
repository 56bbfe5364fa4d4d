"""An answer held to a form is always of that form, and what could hang or end llama.cpp never reaches it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.llama.brake import never
from edge.llama.gbnf import MOST_CHARACTERS, refuse_unfit
from edge.llama.schema import grammar_of
from edge.shared.client import SharedEngine
from edge.shared.server import serve
from edge.tutor.engine import Message, Shape
from edge.tutor.giveaway import reveals
from edge.tutor.llama import LlamaEngine
from edge.tutor.shaped import (
    EXERCISE_SHAPE,
    HINT_SHAPE,
    Exercise,
    Hint,
    exercise_of,
    hint_of,
    write_exercise,
    write_hint,
)

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
PASSAGE = (
    "La raíz toma agua y sales de la tierra. La hoja toma luz del sol y aire. El tallo lleva el agua hasta las hojas."
)
ASKED: list[Message] = [{"role": "user", "content": f"{PASSAGE}\n¿Qué toma la raíz?"}]
YES_OR_NO = 'root ::= "sí" | "no"'
LIST = {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 2, "maxItems": 3}


@pytest.fixture(scope="module")
def mini() -> Iterator[LlamaEngine]:
    with LlamaEngine.open(MINI) as engine:
        yield engine


def said(engine: LlamaEngine, shape: Shape | None, most: int = 120) -> str:
    return "".join(engine.stream(ASKED, max_tokens=most, shape=shape))


def test_the_model_says_nothing_but_what_the_grammar_allows(mini: LlamaEngine) -> None:
    plain = said(mini, None)
    assert said(mini, YES_OR_NO) in ("sí", "no")
    assert re.fullmatch(r"[a-z]{3,5}\d", said(mini, "root ::= [a-z]{3,5} [0-9]"))
    found = json.loads(said(mini, LIST))
    assert 2 <= len(found) <= 3
    assert all(isinstance(each, str) and len(each) <= 12 for each in found)
    assert said(mini, None) == plain, "the next answer is free again"


def test_a_grammar_that_allows_what_the_model_says_changes_no_letter(mini: LlamaEngine) -> None:
    plain = said(mini, None, 40)
    mini.guessing = True
    assert said(mini, "root ::= [^\\x00]{1,500}", 40) == plain


def test_the_likeliest_allowed_token_is_chosen_each_time(mini: LlamaEngine) -> None:
    text = said(mini, "root ::= [0-9]{6}")
    tokens = mini._vocabulary.conversation(ASKED)
    grammar = mini._vocabulary.grammar("root ::= [0-9]{6}")
    written = b""
    while len(written) < 6:
        scores = list(mini.scores_of(tokens, start=len(tokens) - 1))[-1][0]
        order = scores.argsort()[::-1]
        digits = (int(t) for t in order if re.fullmatch(rb"\d+", mini.bytes_of([int(t)])))
        best = next(token for token in digits if len(written + mini.bytes_of([token])) <= 6)
        assert grammar.choose(scores) == best
        tokens.append(best)
        written += mini.bytes_of([best])
    assert written.decode() == text


def test_a_class_is_held_to_forms_each_to_its_own(tmp_path: Path, mini: LlamaEngine) -> None:
    ready, stopped = threading.Event(), threading.Event()
    serving = threading.Thread(target=serve, args=(MINI, 2, tmp_path, lambda _: ready.set(), stopped))
    serving.start()
    try:
        assert ready.wait(60)
        heard: dict[str, str] = {}

        def ask(who: str, shape: Shape | None) -> None:
            pieces = SharedEngine(tmp_path, who).stream(ASKED, max_tokens=40, stop=never, shape=shape)
            heard[who] = "".join(piece for piece in pieces if isinstance(piece, str))

        shapes = {"Ana": YES_OR_NO, "Beto": LIST, "Celia": None}
        pupils = [threading.Thread(target=ask, args=item) for item in shapes.items()]
        for pupil in pupils:
            pupil.start()
        for pupil in pupils:
            pupil.join(60)
        for who in ("Ana", "Celia"):
            assert heard[who] == said(mini, shapes[who], 40)
        # Against its will the model writes near ties, and those hang on who else is read at the same time.
        found = json.loads(heard["Beto"])
        assert 2 <= len(found) <= 3
        assert all(isinstance(each, str) and len(each) <= 12 for each in found)
        for wrong in ("root ::= root", {"type": "odd"}):
            with pytest.raises(ModelError, match="shape asked"):
                ask("Dora", wrong)
    finally:
        stopped.set()
        serving.join(30)


DOUBLING = "\n".join(["root ::= r0", *(f"r{n} ::= r{n + 1} r{n + 1} | r{n + 1}" for n in range(40)), 'r40 ::= "x"'])


@pytest.mark.parametrize(
    ("shape", "key"),
    [
        ("", "grammar-wrong"),
        ("root", "grammar-wrong"),
        ("root ::= nobody", "grammar-wrong"),
        ('rooot ::= "a"', "grammar-wrong"),
        ("root ::= (", "grammar-wrong"),
        ('root ::= "a" )', "grammar-wrong"),
        ('root ::= "a', "grammar-wrong"),
        ("root ::= [a", "grammar-wrong"),
        ("root ::= ñ", "grammar-wrong"),
        (r'root ::= "\q"', "grammar-wrong"),
        ("root ::= *", "grammar-wrong"),
        ('root ::= root "x" | ""', "grammar-endless"),
        ('root ::= a "x"\na ::= b\nb ::= root | ""', "grammar-endless"),
        (DOUBLING, "grammar-large"),
        ('root ::= "a"{9999}', "grammar-large"),
        ('root ::= (("a"{99}){99}){99}', "grammar-large"),
        ("root ::= " + "(" * 300 + '"a"' + ")" * 300, "grammar-large"),
        (f'root ::= "{"a" * MOST_CHARACTERS}"', "grammar-large"),
        ({}, "grammar-endless"),
        ({"type": "object"}, "grammar-endless"),
        ({"type": "odd"}, "grammar-wrong"),
        ({"$ref": "https://example.org/schema.json"}, "grammar-wrong"),
        ({"type": "string", "pattern": "^}$"}, "grammar-wrong"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 10**9}, "grammar-large"),
        ({"enum": list(range(1000))}, "grammar-large"),
        ({"type": "array", "items": 5, "minItems": 1}, "grammar-wrong"),
    ],
)
def test_what_has_no_end_or_no_sense_is_refused_in_a_sentence(mini: LlamaEngine, shape: Shape, key: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        said(mini, shape)
    assert caught.value.key == key
    assert len(caught.value.say("es").splitlines()) == 2
    assert time.monotonic() - began < 5


def test_the_deepest_form_that_is_accepted_is_no_danger(mini: LlamaEngine) -> None:
    heard: list[str] = []
    deep = "root ::= " + "(" * 254 + '"a"' + ")" * 254
    thread = threading.Thread(target=lambda: heard.append(said(mini, deep)))
    thread.start()
    thread.join(60)
    assert heard == ["a"]


pieces = st.sampled_from(
    [
        "root",
        "::=",
        "a",
        "b",
        '"x"',
        '""',
        "[a-z]",
        "[^x]",
        "(",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{0,3}",
        "{2,}",
        "\n",
        ".",
    ]
)


@settings(max_examples=100)
@given(st.lists(pieces, max_size=14).map(" ".join), st.sampled_from(["", '\na ::= "y"', '\na ::= b b\nb ::= "z"?']))
@example('root ::= ("x"?)* "y"', "")
@example('root ::= (""){2,} a', '\na ::= "y"')
def test_whatever_is_written_it_is_answered_or_refused(mini: LlamaEngine, text: str, more: str) -> None:
    key = "grammar-none"
    try:
        said(mini, f"root ::= {text}{more}", 4)
    except ModelError as error:
        key = error.key
    assert key.startswith("grammar-")


schemas = st.recursive(
    st.sampled_from(
        [{"type": "boolean"}, {"type": "integer"}, {"enum": ["uno", "año", 3]}, {"type": "string", "maxLength": 9}]
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner, "maxItems": st.integers(0, 3)}),
        st.dictionaries(st.sampled_from("abñ"), inner, min_size=1, max_size=3).map(
            lambda found: {"type": "object", "properties": found, "required": list(found)}
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=12)
@given(schemas)
def test_json_that_came_to_its_end_fits_its_schema(mini: LlamaEngine, schema: dict[str, Any]) -> None:
    refuse_unfit(grammar_of(schema))
    text = said(mini, schema, 80)
    try:
        found = json.loads(text, strict=False)
    except ValueError:
        assert len(mini.tokens_of(text)) > 40, f"{text!r} was cut off"
        return
    _assert_fits(found, schema)


def _assert_fits(found: Any, schema: dict[str, Any]) -> None:
    if "enum" in schema:
        assert found in schema["enum"]
    elif schema["type"] == "array":
        assert len(found) <= schema["maxItems"]
        for each in found:
            _assert_fits(each, schema["items"])
    elif schema["type"] == "object":
        assert set(found) == set(schema["properties"])
        for name, inner in schema["properties"].items():
            _assert_fits(found[name], inner)
    else:
        assert isinstance(found, {"boolean": bool, "integer": int, "string": str}[schema["type"]])


def test_hints_and_exercises_have_their_form_and_nothing_unchecked_comes_out(mini: LlamaEngine) -> None:
    hint = json.loads(said(mini, HINT_SHAPE))["hint"]
    assert 3 <= len(hint.split()) <= 16
    found = json.loads(said(mini, EXERCISE_SHAPE, 250), strict=False)
    assert len(found["options"]) == 4
    assert found["right"] in range(4)
    assert write_hint(mini, "¿Qué toma la raíz?", "agua y sales", PASSAGE, "es", never) is None
    assert write_exercise(mini, PASSAGE, "es", never) is None
    assert write_exercise(mini, PASSAGE, "es", lambda: True) is None, "stopped"


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("La raíz está en la tierra.", True),
        ("Toma agua y sales.", False),  # it gives the answer away
        ("Los dragones vuelan de noche.", False),  # the passage does not say it
        ("La raíz no toma luz.", False),  # the passage denies nothing
        ("Raíz.", False),
        ("La raíz toma " + "mucho " * 20 + "tierra.", False),
    ],
)
def test_a_hint_stands_on_the_passage_and_keeps_the_secret(text: str, passes: bool) -> None:
    found = hint_of({"hint": text}, "¿Qué toma la raíz de la tierra?", "agua y sales", f"{PASSAGE} Está ahí.", "es")
    assert found == (Hint(text) if passes else None)


def test_numbers_of_the_answer_are_secret_too() -> None:
    assert reveals("Son 12 huevos.", "12", "¿Cuántos huevos hay en 3 cajas de 4?", "es")
    assert not reveals("Cuenta 3 veces 4.", "12", "¿Cuántos huevos hay en 3 cajas de 4?", "es")


GOOD: dict[str, Any] = {
    "question": "¿Qué toma la hoja del sol?",
    "options": ["luz", "piedras", "leche", "carbón"],
    "right": 0,
}


@pytest.mark.parametrize(
    "change",
    [
        {"options": ["luz", "Luz", "leche", "carbón"]},
        {"options": ["luz", "aire", "leche", "carbón"]},  # two stand in the passage
        {"options": ["luz", "piedras", "leche"]},
        {"options": "luz"},
        {"right": 1},
        {"right": 4},
        {"right": "x"},
        {"question": "¿Cuándo nació Simón Bolívar?"},
        {"question": "¿Toma luz la hoja del sol?"},
        {"question": 5},
    ],
)
def test_an_exercise_with_a_fault_is_none(change: dict[str, Any]) -> None:
    assert exercise_of(GOOD, PASSAGE, "es") == Exercise(GOOD["question"], tuple(GOOD["options"]), 0)
    assert exercise_of({**GOOD, **change}, PASSAGE, "es") is None


@pytest.mark.parametrize("found", [None, [], "x", 3, {}, {"hint": 5}, {"question": "x"}])
def test_what_is_no_hint_and_no_exercise_is_none(found: Any) -> None:
    assert hint_of(found, "a", "b", PASSAGE, "es") is None
    assert exercise_of(found, PASSAGE, "es") is None
