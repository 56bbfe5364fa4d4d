"""Questions that are sums: `¿Cuánto es 7 por 8?`, `la mitad de 50`, `20 % de 300`. Pure; None is no sum."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from edge.library.arithmetic import compute
from edge.library.terms import fold
from edge.tutor.reckon.reckoned import Reckoned, word
from edge.tutor.reckon.wording import LONGEST, normal, show_value

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
    (r"(?<=[\d)]) ?\bpor\b|(?<=[\d)]) ?x(?= ?[\d(])", "*"),
    (r"\b(la )?mitad de\b|\b(a )?metade de\b|\bhalf of\b", "1/2*"),
    (r"\b(el |o )?doble de\b|\b(o )?dobro de\b|\btwice\b", "2*"),
    (r"\b(el |o )?triple de\b|\b(o )?triplo de\b", "3*"),
)
ONLY_ARITHMETIC = re.compile(r"[\d\s.+\-*/()]+")
OPERATION = re.compile(r"\d\s*\)?\s*[-+*/]\s*\(?\s*-?\d")
YEARS = re.compile(r"(1\d{3}|20\d\d) ?[-–−] ?(1\d{3}|20\d\d)")
"""A span of time, `1810-1821`, when it is all that was typed and the later year comes last."""

DATE = re.compile(r"\d{1,2} ?[-/] ?\d{1,2} ?[-/] ?\d{4}")
KINDS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum and its exact value."""

    shown: str
    """The sum as a pupil writes it, for example `7 × 8`."""

    value: Fraction
    operation: str
    """The last operation, `+ - * /`: what lesson to read about it."""


def read(question: str, lang: str) -> Reckoned | None:
    """Return the value of the sum that a question asks for, or None."""
    if (found := read_sum(question)) is None:
        return None
    text = f"{found.shown} = {show_value(found.value, lang)}"
    return Reckoned(text, word(lang, f"about.{KINDS[found.operation]}"), in_title=False)


def read_sum(question: str) -> Sum | None:
    """Return the sum that a question asks for, or None."""
    plain = fold(question).strip(" ¿?¡!.=")
    if len(plain) > LONGEST or not any(c.isdigit() for c in plain):
        return None
    if DATE.fullmatch(plain) or ((span := YEARS.fullmatch(plain)) and span[1] < span[2]):
        return None
    plain = re.sub(r"[¿?¡!=]", " ", plain).strip()
    written = with_signs(re.sub(OPENING, "", plain).strip())
    if written is None or not OPERATION.search(written):
        return None
    try:
        value = compute(written)
    except ValueError:
        return None
    last = [sign for sign in written if sign in "+-*/"]
    return Sum(as_written(written, comma="," in question), value, last[-1])


def as_written(written: str, *, comma: bool) -> str:
    """Return a sum in signs as a pupil writes it."""
    spaced = re.sub(r"([-+*/])", r" \1 ", written).replace("*", "×").replace("/", "÷")
    shown = " ".join(spaced.split()).replace("÷ 100 ×", "% ×").replace("1 ÷ 2 ×", "½ ×")
    shown = shown.replace("( ", "(").replace(" )", ")")
    return shown.replace(".", ",") if comma else shown


def with_signs(plain: str) -> str | None:
    """Return a sum in words as one in signs, with decimal points, or None when it says anything else."""
    for pattern, sign in WORDS:
        plain = re.sub(pattern, sign, plain)
    plain = re.sub(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d/])", lambda found: found[0].replace(" ", ""), plain)
    written = re.split(r"(\d+(?:[.,]\d+)*)", plain)
    values = [normal(part) if at % 2 else part for at, part in enumerate(written)]
    together = "".join(part for part in values if part is not None)
    return together if None not in values and ONLY_ARITHMETIC.fullmatch(together) else None
