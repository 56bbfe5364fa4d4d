"""What divides what: primes, even and odd, divisors, multiples, least common multiple, greatest common divisor."""

from __future__ import annotations

import re
from math import gcd, lcm

from edge.tutor.reckon.reckoned import Reckoned, told
from edge.tutor.reckon.wording import LIST, NUMBER, joined, numbers, whole

LARGEST = 10**9
"""Its square root is tried out in milliseconds."""

MOST_LISTED = 10
_BE = r"(?:(?:es|e|is|sera) )?"
_NUMBER = r"(?:el |o |un |um |a |the )?(?:(?:numero|number) )?"
_OR_NOT = r"(?: (?:o|ou|or) (?:un |um )?(?:numero )?(?:no|nao|not|compuesto|composto|composite))?"
_PRIME = re.compile(
    rf"{_NUMBER}({NUMBER}) {_BE}{_NUMBER}(?:primo|prime)(?: number)?{_OR_NOT}|primo {_NUMBER}({NUMBER})"
)
_EVEN = re.compile(
    rf"{_NUMBER}({NUMBER}) {_BE}{_NUMBER}(?:(?P<even>par|even)|(?P<odd>impar|odd))(?: number)?(?: (?:o|ou|or) (?:par|impar|even|odd))?"
)
_DIVISIBLE = re.compile(
    rf"{_NUMBER}({NUMBER}) {_BE}(?:divisible (?:por|entre|by)|divisivel por|(?:un |um |a )?multiplo de|(?:a )?multiple of) ({NUMBER})"
)
_DIVISOR = re.compile(rf"{_NUMBER}({NUMBER}) {_BE}(?:un |um |a )?(?:divisor|divisor exacto) (?:de|of) ({NUMBER})")
_DIVISORS = re.compile(
    rf"(?:cuantos |quantos |todos (?:los |os ))?(?:divisores|divisors)(?: (?:tiene|tem))? (?:(?:de|del|do|of) )?{_NUMBER}({NUMBER})"
)
_MULTIPLES = re.compile(
    rf"(?:primeros? |primeiros? |first )?(?:(\d{{1,2}}|diez|dez|cinco) )?(?:primeros |primeiros |first )?(?:multiplos de|multiples of) {_NUMBER}({NUMBER})"
)
_COMMON = re.compile(
    rf"(?:(?P<least>mcm|m\.c\.m|mmc|m\.m\.c|minimo comun multiplo|minimo multiplo comun|minimo multiplo comum|minimo comum multiplo|lcm|least common multiple)"
    rf"|mcd|m\.c\.d|mdc|m\.d\.c|maximo comun divisor|maximo divisor comun|maximo divisor comum|maximo comum divisor|gcd|greatest common divisor)"
    rf"\.? (?:(?:de|entre|of|between|dos numeros|de los numeros) )?(?P<of>{LIST})"
)
_FACTORS = re.compile(
    rf"(?:factoriza\w*|fator\w+|factor\w*|descompon\w*|descomposicion(?: en factores primos)? (?:de|del)|decompon\w*|decomposicao(?: em fatores primos)? (?:de|do))"
    rf" {_NUMBER}({NUMBER})(?: (?:en|em) (?:(?:sus|seus) )?(?:factores|fatores)(?: primos)?)?"
)
_PRIME_FACTORS = re.compile(
    rf"(?:factores primos|fatores primos|prime factors)(?: (?:tiene|tem))? (?:(?:de|del|do|of) )?{_NUMBER}({NUMBER})"
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return the answer to a question about divisors and multiples, or None."""
    for pattern, answer in (
        (_PRIME, _prime),
        (_EVEN, _even),
        (_DIVISIBLE, _divisible),
        (_DIVISOR, _divisor),
        (_DIVISORS, _divisors),
        (_MULTIPLES, _multiples),
        (_COMMON, _common),
        (_FACTORS, _factorised),
        (_PRIME_FACTORS, _factorised),
    ):
        if found := pattern.fullmatch(said):
            return answer(found, lang)
    return None


def factors(value: int) -> list[int]:
    """Return the prime factors of a whole number, smallest first."""
    found, divisor = list[int](), 2
    while divisor * divisor <= value:
        while value % divisor == 0:
            found.append(divisor)
            value //= divisor
        divisor += 1 if divisor == 2 else 2
    return [*found, value] if value > 1 else found


def divisors(value: int) -> list[int]:
    """Return every divisor of a whole number, smallest first."""
    found = {1}
    for prime in factors(value):
        found |= {divisor * prime for divisor in found}
    return sorted(found)


def _prime(found: re.Match[str], lang: str) -> Reckoned | None:
    if (value := whole(found[1] or found[2], LARGEST)) is None:
        return None
    if value < 2:
        return told(lang, f"prime-{value}", "prime")
    parts = factors(value)
    key = "prime" if len(parts) == 1 else "composite"
    return told(lang, key, "prime", number=value, factors=" × ".join(map(str, parts)))


def _even(found: re.Match[str], lang: str) -> Reckoned | None:
    if (value := whole(found[1], 10**15)) is None:
        return None
    return told(lang, "odd" if value % 2 else "even", "even", number=value, last=value % 10)


def _divisible(found: re.Match[str], lang: str) -> Reckoned | None:
    return _divides(whole(found[1], 10**15), whole(found[2], 10**15), lang)


def _divisor(found: re.Match[str], lang: str) -> Reckoned | None:
    return _divides(whole(found[2], 10**15), whole(found[1], 10**15), lang)


def _divides(value: int | None, by: int | None, lang: str) -> Reckoned | None:
    if value is None or not by:
        return None
    times, rest = divmod(value, by)
    working = f"{value} = {by} × {times}" + (f" + {rest}" if rest else "")
    return told(lang, "no" if rest else "yes", "division", because=working)


def _divisors(found: re.Match[str], lang: str) -> Reckoned | None:
    if not (value := whole(found[1], LARGEST)) or len(every := divisors(value)) > 48:
        return None
    return told(lang, "divisors", "divisors", number=value, list=joined([str(each) for each in every], lang))


def _multiples(found: re.Match[str], lang: str) -> Reckoned | None:
    count = {None: MOST_LISTED, "diez": 10, "dez": 10, "cinco": 5}.get(found[1]) or int(found[1])
    if not (value := whole(found[2], LARGEST)) or not 1 <= count <= 30:
        return None
    listed = joined([str(value * times) for times in range(1, count + 1)], lang)
    return told(lang, "multiples", "multiples", number=value, count=count, list=listed)


def _common(found: re.Match[str], lang: str) -> Reckoned | None:
    values = [int(value) for value in numbers(found["of"]) if value.denominator == 1 and 0 < value <= 10**6]
    if not 2 <= len(values) == len(numbers(found["of"])) <= 6:
        return None
    listed = joined([str(value) for value in values], lang)
    parted = "; ".join(f"{value} = {' × '.join(map(str, factors(value))) or 1}" for value in values)
    key, value = ("lcm", lcm(*values)) if found["least"] else ("gcd", gcd(*values))
    return told(lang, key, "multiples" if found["least"] else "divisors", list=listed, value=value, parted=parted)


def _factorised(found: re.Match[str], lang: str) -> Reckoned | None:
    if (value := whole(found[1], LARGEST)) is None or value < 2:
        return None
    parts = factors(value)
    if len(parts) == 1:
        return told(lang, "prime", "prime", number=value, factors=value)
    return told(lang, "factors", "prime", number=value, factors=" × ".join(map(str, parts)))
