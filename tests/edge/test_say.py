"""What is read aloud sounds as a teacher would say it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.speech.fractions import fraction_words
from edge.speech.numerals import MOST, number_words, ordinal_words
from edge.speech.plain import LONGEST_SENTENCE, plain, sentences
from edge.speech.say import speakable
from edge.words import LANGUAGES

langs = st.sampled_from(LANGUAGES)
texts = st.text(max_size=200) | st.text("0123456789.,:/-+ $%°kmºª|*_[]#xX=½\n", max_size=60)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hay 21 niños, 31 días y 21 niñas.", "Hay veintiún niños, treinta y un días y veintiuna niñas."),
        ("Son 200 casas y 1 flor.", "Son doscientas casas y una flor."),
        ("Usa 1/2 taza y ½ kilo.", "Usa media taza y medio kilo."),
        ("El 12/10/1492.", "El doce de octubre de mil cuatrocientos noventa y dos."),
        ("Nació el 1/1/2026.", "Nació el primero de enero de dos mil veintiséis."),
        ("Hoy es 2026-11-23.", "Hoy es veintitrés de noviembre de dos mil veintiséis."),
        ("A las 8:30 y a las 9:00.", "A las ocho y treinta y a las nueve."),
        ("Mide 2,5 km y pesa 1 kg.", "Mide dos coma cinco kilómetros y pesa un kilo."),
        ("Hace 37,5 °C o 20ºC.", "Hace treinta y siete coma cinco grados Celsius o veinte grados Celsius."),
        ("1,5² = 2,25", "uno coma cinco al cuadrado es igual a dos coma veinticinco."),
        ("2⁵ y ∛27", "dos elevado a cinco y raíz cúbica de veintisiete."),
        ("El 50 % de 15 m2.", "El cincuenta por ciento de quince metros cuadrados."),
        ("Cuesta $ 1.500,50.", "Cuesta mil quinientos pesos con cincuenta centavos."),
        ("Cuesta S/ 12,05.", "Cuesta doce soles con cinco céntimos."),
        ("Son 1 000 000 km.", "Son un millón de kilómetros."),
        ("3/4 de 12, 2 1/2, 5/12 y ½.", "tres cuartos de doce, dos y un medio, cinco doceavos y un medio."),
        ("47 + 25 = 72", "cuarenta y siete más veinticinco es igual a setenta y dos."),
        ("52-27 = 25", "cincuenta y dos menos veintisiete es igual a veinticinco."),
        ("3 × 4, 12 ÷ 3 y -4", "tres por cuatro, doce entre tres y menos cuatro."),
        ("De 10-15 años.", "De diez a quince años."),
        ("El siglo XV y el siglo V.", "El siglo quince y el siglo quinto."),
        ("El 1.er lugar, la 2.ª, el 3º.", "El primer lugar, la segunda, el tercero."),
        ("El Sr. Díaz, p. ej., en EE. UU., etc.", "El señor Díaz, por ejemplo, en Estados Unidos, etcétera."),
        ("Llama al 007.", "Llama al cero cero siete."),
        ("# **Uno**\n- `dos` [tres](http://x)\n[[raw]]", "Uno. dos tres. raw."),
    ],
)  # fmt: skip
def test_spanish_is_said_as_a_teacher_would(written: str, said: str) -> None:
    assert speakable(written, "es") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Há 21 meninas e 200 casas.", "Há vinte e uma meninas e duzentas casas."),
        ("Em 7/9/1822.", "Em sete de setembro de mil oitocentos e vinte e dois."),
        ("Custa R$ 10,50.", "Custa dez reais e cinquenta centavos."),
        ("São 2,5 kg e 3/4.", "São dois vírgula cinco quilos e três quartos."),
        ("12 ÷ 4 = 3", "doze dividido por quatro é igual a três."),
        ("10³ e 2¹²", "dez ao cubo e dois elevado a doze."),
        ("2.100 m", "dois mil e cem metros."),
        ("O 1º e a 2ª.", "O primeiro e a segunda."),
    ],
)
def test_portuguese_is_said_as_a_teacher_would(written: str, said: str) -> None:
    assert speakable(written, "pt") == said


def test_english_is_said_too() -> None:
    assert speakable("On 12/10/1492 at 8:30, 3/4 of 21 km for $1.50.", "en") == (
        "On twelve October one thousand four hundred ninety-two at eight thirty, "
        "three quarters of twenty-one kilometres for one dollar and fifty cents."
    )


@given(texts, langs)
@example("[[bˈom]]", "es")
@example("9" * 400, "es")
@example("٣ ٤/٥ ½½ 1½", "pt")
@example("1er.ª 2ª 0:0 00/00/0000 1/0", "es")
def test_nothing_is_left_that_a_voice_stumbles_over(text: str, lang: str) -> None:
    said = speakable(text, lang)
    assert not any(c.isdecimal() for c in said), said
    assert "[[" not in said
    assert "\n" not in said
    assert not set("*_`|#{}~\\^") & set(said), said
    assert all(c.isprintable() for c in said)


@given(texts)
def test_a_language_without_rules_only_loses_its_markdown(text: str) -> None:
    assert "[[" not in speakable(text, "qu")


@given(texts)
def test_sentences_are_never_blank_nor_too_long_to_be_stopped(text: str) -> None:
    for sentence in sentences(text):
        assert sentence.strip() == sentence != ""
        assert len(sentence) <= LONGEST_SENTENCE + 1


@given(st.text(max_size=300))
def test_no_letter_is_lost_between_the_sentences(text: str) -> None:
    letters = [c for c in plain(text) if c.isalnum()]
    assert [c for sentence in sentences(text) for c in sentence if c.isalnum()] == letters


def test_sentences_end_where_a_reader_would_pause() -> None:
    text = "El Sr. Pérez llegó. ¿Cuándo? El 3. Dijo que no. «Sí.» Es, p. ej. Ana.\n# Título\n1. Uno.\n\n- Dos"
    assert sentences(text) == [
        "El Sr. Pérez llegó.",
        "¿Cuándo?",
        "El 3.",
        "Dijo que no.",
        "«Sí.»",
        "Es, p. ej. Ana.",
        "Título.",
        "1. Uno.",
        "Dos.",
    ]


@given(st.integers(0, MOST), langs)
def test_every_number_has_its_own_words(number: int, lang: str) -> None:
    words = number_words(number, lang)
    assert words
    assert words != number_words((number + 1) % MOST, lang)
    assert "-" not in words.split()


@pytest.mark.parametrize(
    ("number", "es", "pt"),
    [
        (0, "cero", "zero"),
        (100, "cien", "cem"),
        (101, "ciento uno", "cento e um"),
        (1000, "mil", "mil"),
        (1200, "mil doscientos", "mil e duzentos"),
        (2345, "dos mil trescientos cuarenta y cinco", "dois mil trezentos e quarenta e cinco"),
        (21_000, "veintiún mil", "vinte e um mil"),
        (1_000_000, "un millón", "um milhão"),
        (31_000_001, "treinta y un millones uno", "trinta e um milhões e um"),
        (2 * 10**9, "dos mil millones", "dois bilhões"),
    ],
)
def test_numbers_are_spelled_as_in_school(number: int, es: str, pt: str) -> None:
    assert number_words(number, "es") == es
    assert number_words(number, "pt") == pt


def test_small_parts_and_places_have_names() -> None:
    assert fraction_words(1, 2, "es") == "un medio"
    assert fraction_words(3, 100, "pt") == "três centésimos"
    assert fraction_words(3, 2, "en") == "three halves"
    assert fraction_words(3, 32, "es") == "tres sobre treinta y dos"
    assert ordinal_words(11, "pt", "f") == "décima-primeira"
    assert ordinal_words(99, "es") == "noventa y nueve"


def test_a_very_long_text_takes_no_long_time() -> None:
    started = time.perf_counter()
    sentences("a, b. C [[* _ (" * 7000)
    speakable("12/3 3-4 $5 a, b. C [[* _ 1.000" * 3000, "es")
    speakable("[" * 50_000 + "*" * 50_000 + "1" * 50_000, "es")
    assert time.perf_counter() - started < 8
