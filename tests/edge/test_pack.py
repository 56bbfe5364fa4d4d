"""A pack is plain text that a teacher writes; every mistake is named with its file and line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import PackError
from edge.library.arithmetic import compute
from edge.library.check import check
from edge.library.folder import read_pack
from edge.library.lesson import parse_lesson
from edge.library.pack import Lesson

PACK = """id = "mini"
title = "Mini"
lang = "es"
version = 1
licence = "CC0-1.0"
authors = ["Nosotros"]
description = "Para probar."
"""
LESSON = """+++
title = "El agua"
grade = 2
subject = "ciencias"
minutes = 10
keywords = ["agua"]
sources = ["Un libro"]
+++

El agua moja. El hielo es agua fría.

# Ejercicios

1. ¿Qué es el hielo?
- [x] agua
- [ ] vidrio // El vidrio no se derrite al sol.
pista: Se derrite.
porque: El hielo es agua que se congeló.

2. Tengo 3 vasos y lleno 4 más. ¿Cuántos hay?
= 7 vasos
cuenta: 3 + 4
pista: Suma.
porque: 3 y 4 son 7.

3. El agua ___.
= moja | Moja todo
porque: Toca algo y lo moja.

# Preguntas

## ¿Qué es el hielo?
~ ¿De qué está hecho el hielo?
El hielo es agua
que se congeló.
"""


def parsed(source: str) -> tuple[Lesson | None, list[str]]:
    lesson, complaints = parse_lesson(source, Path("2-ciencias-agua.md"), "mini", "es")
    return lesson, [complaint.say("es") for complaint in complaints]


def test_a_lesson_is_read_whole() -> None:
    lesson, complaints = parsed(LESSON)
    assert complaints == []
    assert lesson is not None
    assert lesson.id == "mini/2-ciencias-agua"
    assert lesson.text == "El agua moja. El hielo es agua fría."
    assert [item.kind for item in lesson.items] == ["choice", "number", "text"]
    assert lesson.items[0].options[1].feedback == "El vidrio no se derrite al sol."
    assert lesson.items[1].keys == ("7 vasos",)
    assert lesson.items[2].keys == ("moja", "Moja todo")
    assert lesson.bank[0].variants == ("¿De qué está hecho el hielo?",)
    assert lesson.bank[0].text == "El hielo es agua que se congeló."


def test_windows_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    lesson, complaints = parsed("\ufeff" + LESSON.replace("\n", "\r\n"))
    plain, _ = parsed(LESSON)
    assert complaints == []
    assert lesson == plain


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("grade = 2", "grade = 20", 3, "«grade» debe ser un número entero de 1 a 12, no 20"),
        ("grade = 2\n", "", 2, "falta el dato «grade»"),
        ('title = "El agua"', 'title = "El agua', 2, "tienen un error"),
        ('subject = "ciencias"', 'subject = "magia"', 4, "«subject» no puede ser magia"),
        ("minutes", "minuts", 5, "no conozco el dato «minuts»"),
        ("- [ ] vidrio //", "- [x] vidrio //", 14, "exactamente una opción"),
        ("- [ ] vidrio //", "= vidrio //", 14, "deja solo una clase"),
        ("- [ ] vidrio // El vidrio no se derrite al sol.\n", "", 14, "de dos a cinco opciones"),
        ("= 7 vasos\n", "", 20, "no tiene respuesta"),
        ("porque: 3 y 4 son 7.", "", 20, "no dice «porque:»"),
        ("2. Tengo", "1. Tengo", 20, "el número 1 ya está usado"),
        ("pista: Suma.", "consejo: Suma.", 23, "no entiendo la línea «consejo: Suma.»"),
        ("pista: Suma.", "pista:", 23, "falta el texto"),
        ("# Preguntas", "# Dudas", 30, "no conozco la sección «# Dudas»"),
        ("El hielo es agua\nque se congeló.\n", "", 32, "no tiene respuesta"),
        ("## ¿Qué es el hielo?\n", "", 32, "falta una pregunta"),
        ("El agua moja. El hielo es agua fría.\n", "", 8, "falta el texto de la lección"),
    ],
)
def test_every_mistake_is_named_with_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in LESSON
    _, complaints = parsed(LESSON.replace(old, new, 1))
    assert any(f"2-ciencias-agua.md:{line}: " in c and said in c for c in complaints), complaints


def test_a_file_without_its_fields_is_no_lesson() -> None:
    lesson, complaints = parsed("Solo texto.")
    assert lesson is None
    assert "2-ciencias-agua.md:1: la lección debe empezar" in complaints[0]


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_parser(noise: str) -> None:
    parsed(noise)
    parsed(LESSON.replace("El agua moja.", noise))
    parsed(LESSON.replace("- [ ] vidrio", noise))


@given(st.integers(0, len(LESSON)), st.integers(0, 40))
def test_a_lesson_with_a_piece_cut_out_is_read_or_complained_about(start: int, length: int) -> None:
    lesson, complaints = parsed(LESSON[:start] + LESSON[start + length :])
    assert lesson is not None or complaints


def folder_with(tmp_path: Path, lesson: str, pack: str = PACK) -> Path:
    (tmp_path / "lessons").mkdir(parents=True)
    (tmp_path / "pack.toml").write_text(pack, encoding="utf-8")
    (tmp_path / "lessons" / "2-ciencias-agua.md").write_text(lesson, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cuenta: 3 + 4", "cuenta: 3 + 5", "la cuenta 3 + 5 da 8, pero la respuesta dice «7 vasos»"),
        ("cuenta: 3 + 4", "cuenta: tres más cuatro", "no entiendo la cuenta"),
        (
            "## ¿Qué es el hielo?\n~",
            "## ¿De qué está hecho el hielo?\n~",
            "la pregunta «¿De qué está hecho el hielo?» ya está",
        ),
    ],
)
def test_the_whole_pack_is_judged(tmp_path: Path, old: str, new: str, said: str) -> None:
    pack, complaints = read_pack(folder_with(tmp_path, LESSON.replace(old, new)))
    assert complaints == []
    assert any(said in c.say("es") for c in check(pack)), [c.say("es") for c in check(pack)]


def test_a_pack_without_faults_has_no_complaints(tmp_path: Path) -> None:
    pack, complaints = read_pack(folder_with(tmp_path, LESSON))
    assert complaints + check(pack) == []


@pytest.mark.parametrize(("pack", "said"), [("id = ", "has a mistake"), ("\xff", "has a mistake")])
def test_a_broken_pack_file_is_refused(tmp_path: Path, pack: str, said: str) -> None:
    with pytest.raises(PackError, match=said):
        read_pack(folder_with(tmp_path, LESSON, pack))


def test_a_folder_that_is_no_pack_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no content pack"):
        read_pack(tmp_path / "nothing")


def test_a_lesson_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, LESSON)
    (folder / "lessons" / "2-ciencias-agua.md").write_bytes(LESSON.encode("latin-1"))
    _, complaints = read_pack(folder)
    assert any("2-ciencias-agua.md:10: aquí hay letras que no son UTF-8" in c.say("es") for c in complaints)


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 99))
def test_sums_are_computed_exactly(a: int, b: int, c: int) -> None:
    assert compute(f"({a} + {b}) * 3 / {c} - 0.5") == Fraction(a + b) * 3 / c - Fraction(1, 2)


@pytest.mark.parametrize("text", ["2 ** 9", "__import__('os')", "1 / 0", "x", "(" * 90, "True", "9" * 500])
def test_anything_but_plain_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        compute(text)
