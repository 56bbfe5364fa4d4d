"""What an answer rests on is found in its lesson."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeLibrary
from tui.passage import split_at
from tui.visible import visible

TEXT = """Las plantas no comen. Fabrican su **propio** alimento.

## Qué toman

La raíz toma el agua. La hoja toma
el aire.

- Una lista."""


def test_a_whole_paragraph_is_found_and_left_as_it_is() -> None:
    parts = split_at(TEXT, "La raíz toma el agua. La hoja toma el aire.")
    assert parts.exact
    assert parts.cited == "La raíz toma el agua. La hoja toma\nel aire."
    assert parts.before.endswith("## Qué toman")
    assert parts.after == "- Una lista."


def test_a_sentence_is_shown_in_bold_in_its_paragraph() -> None:
    assert split_at(TEXT, "La raíz toma el agua.").cited.startswith("**La raíz toma el agua.** La hoja")


def test_marks_inside_the_quote_do_not_hide_it() -> None:
    assert split_at(TEXT, "Fabrican su propio alimento.").exact


def test_an_answer_of_the_bank_points_at_the_paragraph_nearest_to_it() -> None:
    lesson = FakeLibrary().lesson("prueba/4-ciencias-plantas")
    parts = split_at(lesson.text, lesson.bank[0].text)
    assert not parts.exact
    assert "fabrican su propio alimento" in parts.cited


def test_what_is_nowhere_leaves_the_lesson_whole() -> None:
    assert split_at(TEXT, "El cóndor vuela alto.") == split_at(TEXT, "")


@given(st.text(), st.text())
def test_any_text_and_any_quote_can_be_looked_for(text: str, quote: str) -> None:
    parts = split_at(text, quote)
    assert len(parts.before) + len(parts.cited) + len(parts.after) <= len(text) + len(quote) + 4


@given(st.text())
def test_nothing_that_is_shown_can_control_the_terminal(text: str) -> None:
    assert all(ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 for c in visible(text))
