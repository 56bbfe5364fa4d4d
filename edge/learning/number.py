"""Read a number the way pupils and teachers write it: 2,5 = 2.5 = 5/2 = 2 1/2, with or without a unit.

Pure and exact: fractions, never floats. Words for numbers are not read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 60
"""Longer texts are no numbers a pupil writes."""

_NUMBER = re.compile(
    r"""
    (?P<sign>-)?\s*
    (?:
        (?P<whole>[0-9]+)[ ]+(?P<top2>[0-9]+)\s*/\s*(?P<bottom2>[0-9]+)   # 2 1/2
      | (?P<top>[0-9]+)\s*/\s*(?P<bottom>[0-9]+)                                # 5/2
      | (?P<groups>[1-9][0-9]{0,2}(?:[ .,'][0-9]{3})+)(?:(?P<cents>[.,][0-9]+))?(?![0-9])
      | (?P<plain>[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)                       # 2,5
    )
    """,
    re.VERBOSE,
)
_BEFORE = re.compile(r"^(?:[a-z]\s*=|=|r\$|us\$|s/\.?|bs\.?|\$|q|₲|€)?\s*")
_UNIT_TEXT = re.compile(r"(?:[^\W\d_]+2?|[ °%$().]|/(?=[a-z]))*")
_UNITS = {
    "mm": ("milímetro", "milímetros", "millimetre", "millimetres"),
    "cm": ("centímetro", "centímetros", "centimetre", "centimetres", "cms"),
    "m": ("metro", "metros", "metre", "metres", "mts", "mt"),
    "km": ("kilómetro", "kilómetros", "quilômetro", "quilômetros", "kilometre", "kilometres", "kms"),
    "mg": ("miligramo", "miligramos", "miligrama", "miligramas"),
    "g": ("gramo", "gramos", "grama", "gramas", "gram", "grams", "gr", "grs"),
    "kg": ("kilo", "kilos", "kilogramo", "kilogramos", "quilo", "quilos", "quilograma", "quilogramas", "kgs"),
    "t": ("tonelada", "toneladas", "tonne", "tonnes"),
    "ml": ("mililitro", "mililitros", "millilitre", "millilitres"),
    "l": ("litro", "litros", "litre", "litres", "lt", "lts"),
    "s": ("segundo", "segundos", "second", "seconds", "seg"),
    "min": ("minuto", "minutos", "minute", "minutes"),
    "h": ("hora", "horas", "hour", "hours", "hr", "hrs"),
    "°c": ("grado", "grados", "grau", "graus", "degrees", "°"),
    "%": ("por ciento", "por cento", "percent"),
    "cm2": ("centímetros cuadrados", "centímetros quadrados"),
    "m2": ("metros cuadrados", "metros quadrados"),
    "km2": ("kilómetros cuadrados", "quilômetros quadrados"),
}
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in (unit, *names)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as somebody wrote it."""

    values: tuple[Fraction, ...]
    """What it may mean, likeliest first: `1.500` is 1½ in one country and 1500 in the next."""

    unit: str
    """A measure we know, in its short form; empty for anything else, such as `naranjas`."""


def read_number(text: str) -> Number | None:
    """Return the one number in `text`, or None when there is none, or more than one."""
    if len(text) > LONGEST:
        return None
    plain = " ".join(_plain(text).split())
    found = _NUMBER.match(plain, _before(plain))
    if found is None:
        return None
    rest = plain[found.end() :].strip(" .,!")
    if not _UNIT_TEXT.fullmatch(rest):
        return None
    values = _values(found)
    return Number(values, _UNIT_OF.get(rest, "")) if values else None


def _plain(text: str) -> str:
    """Spell out ½, full-width digits and the many minus signs."""
    spaced = "".join(f" {c}" if unicodedata.decomposition(c).startswith("<fraction>") else c for c in text)
    units = spaced.casefold().replace("º", "°")
    return unicodedata.normalize("NFKC", units).replace("⁄", "/").translate(_MINUS)


_MINUS = {ord(c): "-" for c in "−–‐‑"}


def _before(plain: str) -> int:
    found = _BEFORE.match(plain)
    return found.end() if found else 0


def _values(found: re.Match[str]) -> tuple[Fraction, ...]:
    sign = -1 if found["sign"] else 1
    if found["bottom2"]:
        if not int(found["bottom2"]):
            return ()
        return (sign * (int(found["whole"]) + Fraction(int(found["top2"]), int(found["bottom2"]))),)
    if found["bottom"]:
        return (sign * Fraction(int(found["top"]), int(found["bottom"])),) if int(found["bottom"]) else ()
    if not found["groups"]:
        return (sign * _decimal(found["plain"]),)
    grouped = re.sub(r"[ .,']", "", found["groups"])
    thousands = sign * _decimal(grouped + (found["cents"] or ""))
    if found["cents"] is None and re.fullmatch(r"[0-9]+[.,][0-9]+", found["groups"]):
        return (sign * _decimal(found["groups"]), thousands)
    return (thousands,)


def _decimal(digits: str) -> Fraction:
    whole, _, part = digits.replace(",", ".").partition(".")
    return Fraction(int(whole + part or "0"), 10 ** len(part))
