"""An answer is marked for what it says, not for how it is typed."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.learning.grade import Mark, chosen_option, mark
from edge.learning.number import read_number
from edge.library.pack import Item, Option
from edge.words import LANGUAGES, words_for

whole_numbers = st.integers(-999, 999)


def item(kind: Literal["choice", "number", "text"], *keys: str, prompt: str = "¿?") -> Item:
    return Item("p/l/1", kind, prompt, (), keys, (), "Porque sí.")


def choice(*texts: str, right: int = 0, feedback: str = "") -> Item:
    options = tuple(Option(text, n == right, "" if n == right else feedback) for n, text in enumerate(texts))
    return Item("p/l/1", "choice", "¿Cuál?", options, (), (), "Porque sí.")


@pytest.mark.parametrize(
    "same", ["2,5", "2.5", " 5/2 ", "5 / 2", "2 1/2", "2½", "+2.50", "2,5 kg", "2.5kilos", "x = 2,5", "２.５"]
)
def test_a_number_may_be_written_in_many_ways(same: str) -> None:
    assert mark(item("number", "2,5 kg"), same.lstrip(" +")).right


@pytest.mark.parametrize(("key", "given_"), [("-4", "−4"), ("-4", " - 4"), ("1500", "1 500"), ("1500", "1.500")])
def test_minus_signs_and_thousands_are_understood(key: str, given_: str) -> None:
    assert mark(item("number", key), given_).right


@pytest.mark.parametrize("wrong", ["16", "-15", "15/1/1", "1,5", "150", "15 16", "15 o 16", "15/0", "9" * 50])
def test_another_number_is_wrong(wrong: str) -> None:
    assert not mark(item("number", "15"), wrong).right


@pytest.mark.parametrize("nothing", ["", "no sé", "quince", "?", "\x1b[31m", "9" * 100_000, "1.2.3"])
def test_what_is_no_number_is_wrong_and_says_to_write_one(nothing: str) -> None:
    result = mark(item("number", "15"), nothing)
    assert not result.right
    assert result.note == "number"


def test_a_unit_may_be_left_out_but_must_not_be_another_one() -> None:
    length = item("number", "15 cm")
    assert mark(length, "15").right
    assert mark(length, "15 centímetros").right
    assert mark(length, "15 CM.").right
    assert mark(length, "15 m") == Mark(False, "Porque sí.", "", "15 cm", "unit")
    assert mark(item("number", "15"), "15 naranjas").right


def test_the_fraction_of_the_question_is_no_answer_to_it() -> None:
    simplify = item("number", "1/2", prompt="Simplifica 4/8.")
    assert not mark(simplify, "4/8").right
    assert mark(simplify, "1/2").right
    assert mark(item("number", "1/2", prompt="¿Cuánto es 1/4 + 1/4?"), "2/4").right


@given(whole_numbers, st.integers(1, 99))
def test_equal_fractions_are_equally_right(top: int, bottom: int) -> None:
    key = item("number", f"{top}/{bottom}")
    assert mark(key, f"{2 * top}/{2 * bottom}").right
    assert not mark(key, f"{top + 1}/{bottom}").right


@given(st.decimals(-9999, 9999, places=2, allow_nan=False))
def test_comma_and_point_mean_the_same(value: object) -> None:
    text = str(value)
    assert mark(item("number", text), text.replace(".", ",")).right


@given(whole_numbers, whole_numbers)
def test_only_the_right_number_is_right(key: int, answer: int) -> None:
    assert mark(item("number", str(key)), str(answer)).right == (key == answer)


@given(st.text(max_size=80))
def test_reading_a_number_never_fails(text: str) -> None:
    number = read_number(text)
    assert number is None or all(isinstance(value, Fraction) for value in number.values)


@given(st.text(max_size=500), st.sampled_from([item("text", "raíz"), item("number", "3"), choice("uno", "dos")]))
def test_marking_never_fails(text: str, exercise: Item) -> None:
    assert mark(exercise, text).because == "Porque sí."


@pytest.mark.parametrize("same", ["la raíz", "La Raíz.", "  LA   RAÍZ ", "«la raíz»", "¡la raíz!"])
def test_capitals_spaces_and_punctuation_do_not_matter(same: str) -> None:
    assert mark(item("text", "raíz", "la raíz"), same) == Mark(True, "Porque sí.", "", "raíz")


def test_a_missing_accent_is_right_but_noted() -> None:
    assert mark(item("text", "raíz"), "raiz") == Mark(True, "Porque sí.", "", "raíz", "accent")
    assert mark(item("text", "montaña"), "montana").note == "accent"


def test_the_accent_counts_when_the_question_asks_for_it() -> None:
    accents = item("text", "canción", prompt="Escribe con tilde: cancion.")
    assert mark(accents, "cancion") == Mark(False, "Porque sí.", "", "canción", "accent")
    assert mark(accents, "canción").right


def test_a_sign_can_be_an_answer() -> None:
    signs = item("text", "?")
    assert mark(signs, "?").right
    assert not mark(signs, "!").right
    assert not mark(signs, "").right


def test_a_choice_is_answered_by_letter_or_by_text() -> None:
    gases = choice("oxígeno", "dióxido de carbono", "nitrógeno", right=1, feedback="Ese no.")
    for right in ("b", "B)", " b. ", "dióxido de carbono", "Dioxido de Carbono."):
        assert mark(gases, right).right, right
    assert mark(gases, "a") == Mark(False, "Porque sí.", "Ese no.", "dióxido de carbono")
    for nothing in ("", "d", "ab", "oxí"):
        assert not mark(gases, nothing).right
        assert chosen_option(gases, nothing) is None


def test_options_that_differ_in_little_stay_apart() -> None:
    assert mark(choice("está", "esta", "ésta", right=0), "está").right
    assert not mark(choice("está", "esta", "ésta", right=0), "esta").right
    assert chosen_option(choice("está", "ésta", right=0), "esta") is None
    assert mark(choice("Perú", "perú", right=0), "Perú").right
    assert not mark(choice("-4", "4", right=0), "4").right


def test_an_option_that_is_a_letter_is_chosen_by_itself() -> None:
    vowels = choice("e", "a", "o", right=1)
    assert mark(vowels, "a").right


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=2), min_size=2, max_size=5, unique=True))
def test_exactly_one_option_is_right(texts: list[str]) -> None:
    question = choice(*texts)
    assert [mark(question, text).right for text in texts] == [True] + [False] * (len(texts) - 1)
    assert mark(question, "a").right


def test_every_note_has_words() -> None:
    for lang in LANGUAGES:
        words = words_for("edge", lang)
        for note in ("accent", "unit", "number"):
            assert words.say(f"mark.note.{note}", answer="raíz")
