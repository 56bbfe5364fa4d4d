"""Made-up exercises: the key is right, the other options are wrong, and each says why."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.learning.exercise import LEVELS, SKILLS, Skill, generate, lesson_id, title
from edge.learning.grade import mark
from edge.learning.misconceptions import wrong_differences, wrong_products, wrong_sums
from edge.words import LANGUAGES

skills = st.sampled_from(SKILLS)
levels = st.integers(1, LEVELS)
randoms = st.integers().map(Random)


def compute(sum_: str) -> Fraction:
    left, sign, right = sum_.split(" ")
    a, b = Fraction(left), Fraction(right)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign]


@settings(deadline=None)
@given(skills, levels, st.sampled_from(LANGUAGES), randoms)
def test_the_key_is_right_and_every_other_option_wrong(skill: Skill, level: int, lang: str, random: Random) -> None:
    item = generate(skill, level, lang, random)
    right = compute(item.sum)
    assert right >= 0
    assert len(item.options) == 4
    assert len({Fraction(option.text) for option in item.options}) == 4
    for letter, option in zip("abcd", item.options, strict=True):
        assert option.right == (Fraction(option.text) == right)
        assert mark(item, option.text).right == option.right
        assert mark(item, letter).right == option.right
        assert bool(option.feedback) != option.right
    assert item.because
    assert len(item.hints) == 2
    assert item.id.startswith(lesson_id(skill, level) + "/")


@given(skills, levels, st.integers())
def test_the_same_chance_gives_the_same_exercise(skill: Skill, level: int, seed: int) -> None:
    assert generate(skill, level, "es", Random(seed)) == generate(skill, level, "es", Random(seed))


@pytest.mark.parametrize("skill", SKILLS)
def test_higher_levels_use_other_numbers(skill: Skill) -> None:
    sums = [{generate(skill, level, "es", Random(n)).sum for n in range(30)} for level in (1, 3)]
    assert sums[0] != sums[1]
    assert generate(skill, 99, "es", Random(1)) == generate(skill, LEVELS, "es", Random(1))


def test_the_typical_mistakes_are_offered() -> None:
    assert (62, "no-carry") in wrong_sums(47, 25)
    assert (612, "both-digits") in wrong_sums(47, 25)
    assert (35, "smaller-from-larger") in wrong_differences(52, 27)
    assert (122, "mul-no-carry") in wrong_products(27, 6)
    assert (60, "unshifted") in wrong_products(12, 23)


def test_adding_the_bottoms_is_always_among_the_fractions() -> None:
    for seed in range(50):
        item = generate("fractions", 1, "es", Random(seed))
        assert any("tamaño de las partes" in option.feedback for option in item.options), item


def test_every_skill_has_a_name_in_every_language() -> None:
    for lang in LANGUAGES:
        assert len({title(skill, lang) for skill in SKILLS}) == len(SKILLS)
