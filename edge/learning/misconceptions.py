"""The wrong results that pupils really get, and the mistake behind each.

Pure arithmetic on whole numbers and fractions. Every function returns pairs of a result and
the name of its mistake (`exercise.wrong.NAME` in the strings); some may equal the right result
or each other, `exercise` keeps the fitting ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm

Wrong = tuple[int, str]


def digits_of(number: int) -> list[int]:
    """Return the digits, ones first."""
    return [int(digit) for digit in reversed(str(number))]


def _columns(a: int, b: int) -> list[tuple[int, int]]:
    top, bottom = digits_of(a), digits_of(b)
    width = max(len(top), len(bottom))
    return list(zip(top + [0] * (width - len(top)), bottom + [0] * (width - len(bottom)), strict=True))


def _number(digits: list[int]) -> int:
    return sum(digit * 10**place for place, digit in enumerate(digits))


def _near(right: int) -> Iterator[Wrong]:
    """Yield slips that need no theory, for when the typical mistakes run out."""
    yield right + 10, "ten-off"
    yield right - 10, "ten-off"
    yield right + 1, "one-off"
    yield right - 1, "one-off"
    yield right + 2, "one-off"
    yield right + 20, "ten-off"


def _swapped(right: int) -> Iterator[Wrong]:
    digits = digits_of(right)
    if len(digits) >= 2 and digits[0]:
        yield _number([digits[1], digits[0], *digits[2:]]), "swapped"


def wrong_sums(a: int, b: int) -> Iterator[Wrong]:
    """Yield what pupils answer to a + b."""
    columns = _columns(a, b)
    yield _number([(x + y) % 10 for x, y in columns[:-1]] + [sum(columns[-1])]), "no-carry"
    if len(columns) > 1:
        yield int("".join(str(x + y) for x, y in reversed(columns))), "both-digits"
    yield abs(a - b), "subtracted"
    yield from _swapped(a + b)
    yield from _near(a + b)


def wrong_differences(a: int, b: int) -> Iterator[Wrong]:
    """Yield what pupils answer to a - b, where a is the larger."""
    columns = _columns(a, b)
    yield _number([abs(x - y) for x, y in columns]), "smaller-from-larger"
    yield _number([(x - y) % 10 for x, y in columns]), "no-payback"
    yield a + b, "added"
    yield from _swapped(a - b)
    yield from _near(a - b)


def wrong_products(a: int, b: int) -> Iterator[Wrong]:
    """Yield what pupils answer to a x b."""
    if a > 10:
        yield _number([x * b % 10 for x in digits_of(a)[:-1]] + [digits_of(a)[-1] * b]), "mul-no-carry"
    if b > 10:
        yield sum(a * digit for digit in digits_of(b)), "unshifted"
    yield a + b, "added"
    yield a * (b + 1), "once-more"
    yield a * (b - 1), "once-less"
    yield from _swapped(a * b)
    yield from _near(a * b)


def wrong_quotients(a: int, b: int) -> Iterator[Wrong]:
    """Yield what pupils answer to a : b, which goes without a remainder."""
    right = a // b
    if "0" in str(right):
        yield int(str(right).replace("0", "") or "0"), "zero-lost"
    yield right + 1, "once-more"
    yield right - 1, "once-less"
    yield right * 10, "zero-extra"
    yield from _swapped(right)
    yield from _near(right)


def wrong_fractions(a: Fraction, b: Fraction, sign: int, bottoms: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Yield what pupils write for a + b or a - b over `bottoms`; not simplified, as they leave it."""
    below, beside = bottoms
    common = lcm(below, beside)
    tops = int(a * below) + sign * int(b * beside)
    across = below + beside if sign > 0 else abs(below - beside)
    if tops > 0:
        yield f"{tops}/{across or 2 * below}", "tops-and-bottoms"
        if below != beside:
            yield f"{tops}/{max(below, beside)}", "tops-only"
    turned, right = int((a - sign * b) * common), int((a + sign * b) * common)
    if turned > 0:
        yield f"{turned}/{common}", "wrong-sign"
    for step in (1, -1, 2, 3):
        if right + step > 0:
            yield f"{right + step}/{common}", "part-off"
    yield f"{common}/{right}", "upside-down"
