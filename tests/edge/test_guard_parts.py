"""How the guard hears, what is personal, and whose numbers are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.guard import messages
from edge.settings import Settings
from edge.tutor.guard import refusal
from edge.tutor.numbers import numbers_of
from edge.tutor.personal import is_cpf, redacted
from edge.tutor.sounds import heard, sound
from edge.words import LANGUAGES, words_for

ADVERSE = [row for kind in ("emergency", "dose", "diagnosis", "jailbreak") for row in messages("dev")[kind]]


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=20))
def test_what_was_folded_folds_to_itself(word: str) -> None:
    assert sound(sound(word)) == sound(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [("quiero", "kiero"), ("víbora", "bivora"), ("hace", "ase"), ("pastilla", "pastiya"), ("cabeza", "cabesa"),
     ("MORIRRRR", "morir"), ("m0rir", "morir"), ("xq", "porque"), ("p a r a c e t a m o l", "paracetamol")],
)  # fmt: skip
def test_common_spellings_of_a_word_sound_alike(one: str, other: str) -> None:
    assert heard(one) == heard(other)


@given(st.sampled_from(ADVERSE), st.booleans(), st.sampled_from(["", "!", "???", " ..."]), st.integers(3, 6))
def test_capitals_signs_and_held_keys_change_no_verdict(row: tuple[str, str], big: bool, end: str, times: int) -> None:
    text, lang = row
    other = text.upper() if big else text
    if other[-1].isalpha():
        other += other[-1] * times
    assert refusal(f"{other}{end}", lang) == refusal(text, lang)


@pytest.mark.parametrize(
    "text",
    ["mi numero es 987654321", "llamame al 987 654 321", "mi dni es 45678912", "52998224725", "529.982.247-25",
     "mi curp es BADD110313HCMLNS09", "ana.lopez@correo.pe", "naci el 12 de marzo de 2012", "nasci em 3/5/2013",
     "me llamo Ana Lopez y vivo en Cusco", "me chamo Ana Silva e moro em Recife", "mi direccion es jr Puno 123",
     "+51 987 654 321", "(11) 98765-4321", "12.345.678-5", "1710034065"],
)  # fmt: skip
def test_what_is_personal_is_taken_out_once_and_for_all(text: str) -> None:
    assert "[...]" in redacted(text)
    assert redacted(redacted(text)) == redacted(text)
    assert not any(digit in redacted(text) for digit in "0123456789")


@pytest.mark.parametrize(
    "text",
    ["987654321 + 1", "¿cuánto es 987654321 + 1?", "cuanto es 52998224725 - 1", "Bolívar nació el 24 de julio de 1783",
     "México tiene 126000000 habitantes", "1810-1821", "149 600 000 km", "vivo en el Perú, ¿cuál es la capital?",
     "mi hermano tiene 1234567 canicas", "me llamo Ana", "12345678901"],
)  # fmt: skip
def test_sums_dates_and_facts_stay(text: str) -> None:
    assert redacted(text) == text


@given(st.integers(0, 10**9 - 1))
def test_one_wrong_digit_is_no_document(base: int) -> None:
    digits = f"{base:09}"
    right = [last for last in range(100) if is_cpf(f"{digits}{last:02}")]
    assert len(right) == (0 if len(set(digits)) == 1 else 1)


def test_no_ordinary_question_is_taken_for_personal() -> None:
    for half in ("dev", "held"):
        assert [text for text, _ in messages(half)["ordinary"] if redacted(text) != text] == []


def test_a_technicians_numbers_come_before_those_of_the_app_and_a_bad_file_costs_nothing(home: Path) -> None:
    settings = Settings(home)
    home.mkdir()
    assert numbers_of(settings).told("burn") == ""
    (home / "provisioned.json").write_text('{"country": "br"}')
    assert "SAMU 192" in (numbers_of(settings).told("burn") or "")
    assert numbers_of(settings).told("medicine") is None
    own = home / "emergency.toml"
    own.write_text('format = 1\n[[number]]\nnumber = "999 111"\nname = "Posta"\nfor = ["health"]\n')
    assert numbers_of(settings).told("burn") == "Posta 999 111"
    for broken in ("format = 2", "x", 'format = 1\n[[number]]\nnumber = "call"\nname = "P"\nfor = ["health"]\n'):
        own.write_text(broken)
        found = numbers_of(settings)
        assert "SAMU 192" in (found.told("burn") or "")
        assert found.trouble is not None
        assert str(own) in found.trouble.say("es")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_fixed_text_is_short_and_names_no_amount(lang: str) -> None:
    table = words_for("edge", lang).table
    texts = {key: text for key, text in table.items() if key.startswith("guard.")}
    assert len(texts) >= 19
    for key, text in texts.items():
        assert len(text) < 400, key
        assert not any(letter.isdigit() for letter in text), key
