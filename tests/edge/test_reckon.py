"""Questions that are sums are computed, exactly; everything else is left alone."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tutor.reckon.sums import read_sum
from edge.tutor.reckon.wording import show_value


@pytest.mark.parametrize(
    ("question", "shown", "value"),
    [
        ("¿Cuánto es 7 por 8?", "7 × 8", "56"),
        ("cuanto es 25 + 17", "25 + 17", "42"),
        ("la mitad de 50", "½ × 50", "25"),
        ("¿cuánto es el 20 % de 300?", "20 % × 300", "60"),
        ("el 10 por ciento de 250", "10 % × 250", "25"),
        ("cuanto es 100 entre 8", "100 ÷ 8", "12,5"),
        ("¿Cuánto es 100 entre 3?", "100 ÷ 3", "100/3 ≈ 33,33"),
        ("5 más 3 menos 2", "5 + 3 - 2", "6"),
        ("quanto é 6 vezes 7", "6 × 7", "42"),
        ("2,5 x 4", "2,5 × 4", "10"),
        ("(3 + 4) * 2", "(3 + 4) × 2", "14"),
        ("1821-1810", "1821 - 1810", "11"),
        ("cuanto es 1810-1821", "1810 - 1821", "-11"),
        ("oye profe cuanto es el doble de 15?", "2 × 15", "30"),
    ],
)
def test_a_sum_is_read_and_computed(question: str, shown: str, value: str) -> None:
    found = read_sum(question)
    assert found is not None
    assert (found.shown, show_value(found.value, "es")) == (shown, value)


@pytest.mark.parametrize(
    "question",
    ["¿Qué pasó en 1492?", "¿Por qué 1/4 es mayor que 1/8?", "tengo 3 manzanas y como 2", "5", "1/0", "1810-1821 guerra",
     "1810-1821", "1492 – 1521", "¿Cuántos huesos hay en 2 manos?", "", "9" * 300, "cuanto es"],
)  # fmt: skip
def test_what_is_not_only_a_sum_is_left_alone(question: str) -> None:
    assert read_sum(question) is None


@given(st.integers(0, 9999), st.integers(1, 999), st.sampled_from(["+", "-", "*", "/"]))
def test_every_written_sum_has_its_exact_value(a: int, b: int, sign: str) -> None:
    exact = {"+": Fraction(a + b), "-": Fraction(a - b), "*": Fraction(a * b), "/": Fraction(a, b)}[sign]
    found = read_sum(f"cuánto es {a} {sign} {b}?")
    assert found is not None
    assert (found.value, found.operation) == (exact, sign)


@given(st.text(max_size=80))
def test_no_question_breaks_the_reckoner(text: str) -> None:
    read_sum(text)
    read_sum(f"cuanto es {text} + 1")
