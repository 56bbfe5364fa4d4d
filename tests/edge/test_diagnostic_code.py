"""A code dictated by phone arrives whole, or the mistake is noticed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.diagnostic_code import (
    ALPHABET,
    CHECKS,
    CORE_STEPS,
    DISK_STEPS_MB,
    RAM_STEPS_MB,
    SYSTEMS,
    Diagnosis,
    decode,
    encode,
    step,
)
from edge.errors import EdgeError

diagnoses = st.builds(
    Diagnosis,
    version=st.tuples(st.integers(0, 7), st.integers(0, 63), st.integers(0, 31)),
    system=st.sampled_from(SYSTEMS),
    cpu_tier=st.integers(0, 5),
    cores=st.sampled_from(CORE_STEPS),
    ram_mb=st.sampled_from(RAM_STEPS_MB),
    disk_mb=st.sampled_from(DISK_STEPS_MB),
    sound=st.booleans(),
    failed=st.sets(st.sampled_from(CHECKS)).map(lambda s: tuple(name for name in CHECKS if name in s)),
)
places = st.integers(0, 11)


def letters_of(code: str) -> list[str]:
    return list(code.replace("-", ""))


@given(diagnoses)
def test_what_is_encoded_is_decoded(diagnosis: Diagnosis) -> None:
    code = encode(diagnosis)
    assert len(code) == 14
    assert decode(code) == diagnosis
    assert decode(f" {code.lower().replace('-', ' ')} ") == diagnosis


@given(diagnoses)
def test_letters_that_sound_or_look_alike_do_no_harm(diagnosis: Diagnosis) -> None:
    code = encode(diagnosis)
    assert decode(code.replace("0", "O").replace("1", "l")) == diagnosis


@given(diagnoses, places, st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_noticed(diagnosis: Diagnosis, place: int, letter: str) -> None:
    letters = letters_of(encode(diagnosis))
    if letters[place] != letter:
        letters[place] = letter
        with pytest.raises(EdgeError, match="wrong"):
            decode("".join(letters))


@given(diagnoses, st.integers(0, 10))
def test_two_characters_that_changed_places_are_noticed(diagnosis: Diagnosis, place: int) -> None:
    letters = letters_of(encode(diagnosis))
    if letters[place] != letters[place + 1]:
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
        with pytest.raises(EdgeError, match="wrong"):
            decode("".join(letters))


@pytest.mark.parametrize(
    ("code", "key"),
    [("", "code-length"), ("4083-1QC4-00M", "code-length"), ("4083-1QC4-00MU", "code-letter")],
)
def test_what_is_no_code_is_refused(code: str, key: str) -> None:
    with pytest.raises(EdgeError) as caught:
        decode(code)
    assert caught.value.key == key


@given(st.text(max_size=30))
def test_nothing_that_is_typed_ends_in_anything_else(code: str) -> None:
    with contextlib.suppress(EdgeError):
        decode(code)


def test_a_machine_sold_with_4_gb_counts_as_one() -> None:
    assert step(3800, RAM_STEPS_MB) == 4096
    assert step(3300, RAM_STEPS_MB) == 3072
    assert step(0, DISK_STEPS_MB) == 0


def test_the_code_has_room_for_every_check() -> None:
    assert len(CHECKS) <= 12
    assert len(RAM_STEPS_MB) <= 16
    assert len(DISK_STEPS_MB) <= 16
    assert len(CORE_STEPS) <= 8
