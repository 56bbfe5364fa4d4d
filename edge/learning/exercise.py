"""Arithmetic exercises made on the spot, with the wrong options pupils really choose.

Pure: the same `random` gives the same exercise. The key is computed, never guessed; every wrong
option comes from a known mistake and says which. Levels go from 1 to `LEVELS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from random import Random
from typing import Literal

from edge.learning import misconceptions
from edge.library.pack import Item, Option
from edge.words import Value, Words, words_for

Skill = Literal["add", "sub", "tables", "mul", "div", "fractions"]
SKILLS: tuple[Skill, ...] = ("add", "sub", "tables", "mul", "div", "fractions")
LEVELS = 3
WRONG_OPTIONS = 3


@dataclass(frozen=True, slots=True)
class _Task:
    """One exercise before it has words."""

    prompt: str
    sum: str
    right: str
    wrong: tuple[tuple[str, str], ...]
    """Each wrong option, with the name of its mistake."""

    because: str
    hints: tuple[str, str]


def lesson_id(skill: Skill, level: int) -> str:
    """Return the name under which attempts at this kind of exercise are kept."""
    return f"exercise/{skill}-{level}"


def title(skill: Skill, lang: str) -> str:
    """Return the name of a skill as a learner reads it."""
    return words_for("edge", lang).say(f"exercise.title.{skill}")


def generate(skill: Skill, level: int, lang: str, random: Random) -> Item:
    """Return a new exercise; a level beyond the range counts as the nearest one."""
    level = min(max(level, 1), LEVELS)
    words = words_for("edge", lang)
    if skill == "fractions":
        task = _fractions(level, words, random)
    else:
        task = _whole(skill, *_operands(skill, level, random), words)
    options = [Option(task.right, True, "")]
    options += [Option(text, False, words.say(f"exercise.wrong.{name}")) for text, name in task.wrong]
    random.shuffle(options)
    return Item(
        id=f"{lesson_id(skill, level)}/{task.sum.replace(' ', '')}",
        kind="choice",
        prompt=task.prompt,
        options=tuple(options),
        keys=(),
        hints=task.hints,
        because=task.because,
        sum=task.sum,
    )


def _operands(skill: Skill, level: int, random: Random) -> tuple[int, int]:
    draw = random.randint
    if skill == "add":
        low, high = ((2, 9), (11, 89), (105, 899))[level - 1]
        return draw(low, high), draw(low, high)
    if skill == "sub":
        low, high = ((2, 18), (11, 99), (105, 999))[level - 1]
        b = draw(low, high - 2)
        return draw(b + 1, high), b
    if skill == "tables":
        return draw(2, 10), draw(2, (5, 9, 12)[level - 1])
    if skill == "mul":
        return draw(11, (49, 499, 99)[level - 1]), draw(*((2, 5), (2, 9), (11, 49))[level - 1])
    b = draw(2, (5, 9, 12)[level - 1])
    return b * draw(*((2, 10), (11, 99), (101, 250))[level - 1]), b


def _whole(skill: Skill, a: int, b: int, words: Words) -> _Task:
    """Put words around a task on whole numbers."""
    kind = "mul" if skill == "tables" else skill
    right, sign, wrong = {
        "add": (a + b, "+", misconceptions.wrong_sums),
        "sub": (a - b, "-", misconceptions.wrong_differences),
        "mul": (a * b, "*", misconceptions.wrong_products),
        "div": (a // b, "/", misconceptions.wrong_quotients),
    }[kind]
    values: dict[str, Value] = {"a": a, "b": b, "right": right, "less": b - 1, "near": a * (b - 1)}
    return _Task(
        prompt=words.say(f"exercise.prompt.{kind}", **values),
        sum=f"{a} {sign} {b}",
        right=str(right),
        wrong=_fitting(((str(result), name) for result, name in wrong(a, b)), Fraction(right)),
        because=words.say(f"exercise.because.{kind}", **values),
        hints=(
            words.say(f"exercise.hint.{skill}-1", **values),
            words.say(f"exercise.hint.{skill}-2", **values),
        ),
    )


def _fractions(level: int, words: Words, random: Random) -> _Task:
    """Make a sum or difference of two fractions; from level 3 on their bottoms differ."""
    below = random.randint(3, 9)
    beside = below if level < 3 else random.choice([n for n in range(2, 10) if n != below])
    top, other = random.randint(1, below - 1), random.randint(1, beside - 1)
    a, b = Fraction(top, below), Fraction(other, beside)
    sign = -1 if level > 1 and a > b and random.random() < 0.5 else 1
    common = lcm(below, beside)
    result = a + sign * b
    right = _over(result, below if below == beside else common)
    values: dict[str, Value] = {
        "a": f"{top}/{below}",
        "b": f"{other}/{beside}",
        "a_same": _over(a, common),
        "b_same": _over(b, common),
        "sign": "+" if sign > 0 else "−",
        "right": right,
        "common": common,
    }
    wrong = misconceptions.wrong_fractions(a, b, sign, (below, beside))
    case = "same" if below == beside else "other"
    return _Task(
        prompt=words.say(f"exercise.prompt.{'add' if sign > 0 else 'sub'}", **values),
        sum=f"{top}/{below} {'+' if sign > 0 else '-'} {other}/{beside}",
        right=right,
        wrong=_fitting(wrong, result),
        because=words.say(f"exercise.because.fractions-{case}", **values),
        hints=(
            words.say("exercise.hint.fractions-1"),
            words.say(f"exercise.hint.fractions-{case}-2", **values),
        ),
    )


def _over(value: Fraction, bottom: int) -> str:
    """Write `value` over `bottom`, which it fits, as a pupil does before simplifying."""
    return f"{value.numerator * (bottom // value.denominator)}/{bottom}"


def _fitting(wrong: Iterable[tuple[str, str]], right: Fraction) -> tuple[tuple[str, str], ...]:
    """Return the first few that are wrong, not negative and all of different value."""
    kept: dict[Fraction, tuple[str, str]] = {}
    for text, name in wrong:
        value = Fraction(text)
        if value >= 0 and value != right:
            kept.setdefault(value, (text, name))
    return tuple(kept.values())[:WRONG_OPTIONS]
