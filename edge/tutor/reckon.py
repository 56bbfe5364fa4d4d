"""Questions that are sums: `¿Cuánto es 7 por 8?`, `la mitad de 50`, `20 % de 300`.

The model comes last: what arithmetic answers exactly is computed, never guessed. Pure;
None means that the question is not a sum and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from edge.library.arithmetic import compute
from edge.library.terms import fold

OPENING = (
    r"^((oye|profe|por favor|cuanto|cuantos|quanto|quantos|how much|what|que|calcula|calcule|resuelve|resolva|resultado"
    r"|es|son|e|sao|is|da|dan|sale|hace|fazem|el|o|the|resultado de|result of)\b ?)*"
)
WORDS = (
    (r"\bmultiplicado por\b|\bmultiplicada por\b|\bvezes\b|\bveces\b|\btimes\b|×|·", "*"),
    (r"\bdividido (por|entre)\b|\bdividida (por|entre)\b|\bdivided by\b|\bentre\b|÷|:", "/"),
    (r"\bpor ciento de\b|\bpor cento de\b|% de\b|\bpercent of\b|% of\b", "/100*"),
    (r"\bmas\b|\bmais\b|\bplus\b|\by\b|\be\b", "+"),
    (r"\bmenos\b|\bminus\b|−|–", "-"),
    (r"(?<=\d) ?\bpor\b|(?<=\d) ?x(?= ?\d)", "*"),
    (r"\b(la )?mitad de\b|\b(a )?metade de\b|\bhalf of\b", "1/2*"),
    (r"\b(el |o )?doble de\b|\b(o )?dobro de\b|\btwice\b", "2*"),
    (r"\b(el |o )?triple de\b|\b(o )?triplo de\b", "3*"),
)
ONLY_ARITHMETIC = re.compile(r"[\d\s.+\-*/()]+")
OPERATION = re.compile(r"\d\s*\)?\s*[-+*/]\s*\(?\s*-?\d")
YEARS = re.compile(r"(1\d{3}|20\d\d) ?[-–−] ?(1\d{3}|20\d\d)")
"""A span of time, `1810-1821`, when it is all that was typed and the later year comes last."""

LONGEST = 120


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum and its exact value."""

    shown: str
    """The sum as a pupil writes it, for example `7 × 8`."""

    value: Fraction
    operation: str
    """The last operation, `+ - * /`: what lesson to read about it."""


def read_sum(question: str) -> Sum | None:
    """Return the sum that a question asks for, or None."""
    plain = fold(question).strip(" ¿?¡!.=")
    if len(plain) > LONGEST or not any(c.isdigit() for c in plain):
        return None
    if (span := YEARS.fullmatch(plain)) and span[1] < span[2]:
        return None
    plain = re.sub(r"[¿?¡!=]", " ", plain).strip()
    plain = re.sub(OPENING, "", plain).strip()
    for pattern, sign in WORDS:
        plain = re.sub(pattern, sign, plain)
    plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)
    if not ONLY_ARITHMETIC.fullmatch(plain) or not OPERATION.search(plain):
        return None
    try:
        value = compute(plain)
    except ValueError:
        return None
    shown = " ".join(re.sub(r"([-+*/])", r" \1 ", plain).replace("*", "×").replace("/", "÷").split())
    shown = shown.replace("÷ 100 ×", "% ×").replace("1 ÷ 2 ×", "½ ×").replace("( ", "(").replace(" )", ")")
    shown = shown.replace(".", ",") if "," in question else shown
    last = [sign for sign in plain if sign in "+-*/"]
    return Sum(shown, value, last[-1])


def show_value(value: Fraction, lang: str) -> str:
    """Write a value as a whole number, a short decimal, or a fraction with its rounded decimal."""
    mark = "." if lang == "en" else ","
    if value.denominator == 1:
        return str(value.numerator)
    decimal = f"{float(value):.6f}".rstrip("0")
    if Fraction(decimal) == value:
        return decimal.replace(".", mark)
    return f"{value.numerator}/{value.denominator} ≈ {float(value):.2f}".replace(".", mark)
