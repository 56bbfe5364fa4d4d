"""Units changed into others: `convierte 2,5 km a metros`, `¿Cuántos minutos hay en 3 horas y media?`."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from edge.tutor.reckon.reckoned import Reckoned, word
from edge.tutor.reckon.units_table import UNITS, Unit
from edge.tutor.reckon.wording import VALUE, is_short, number, show_value, shown
from edge.words import words_for

_UNIT = r"(?:(?:square |cubic )?[a-zñ]+(?:\^?[23])?(?: (?:cuadrad|quadrad|cubic)os?)?)"
"""What may be the name of a unit; `unit_of` knows."""

_AMOUNTS = {
    "un": "1", "una": "1", "um": "1", "uma": "1", "one": "1", "a": "1", "an": "1", "medio": "1/2", "media": "1/2",
    "meio": "1/2", "meia": "1/2", "half a": "1/2", "half an": "1/2", "un cuarto de": "1/4", "um quarto de": "1/4",
    "tres cuartos de": "3/4", "tres quartos de": "3/4", "dos": "2", "dois": "2", "duas": "2", "two": "2", "tres": "3",
    "three": "3", "cuatro": "4", "quatro": "4", "cinco": "5", "seis": "6", "siete": "7", "sete": "7", "ocho": "8",
    "oito": "8", "nueve": "9", "nove": "9", "diez": "10", "dez": "10",
}  # fmt: skip
_WORDED = "|".join(sorted(_AMOUNTS, key=len, reverse=True))
_HALVES = {
    "media": "1/2",
    "medio": "1/2",
    "meia": "1/2",
    "meio": "1/2",
    "a half": "1/2",
    "cuarto": "1/4",
    "un cuarto": "1/4",
}
_HALF = "|".join(sorted(_HALVES, key=len, reverse=True))
_PART = rf"(?:{VALUE} ?(?:de )?|(?:{_WORDED}) ){_UNIT}(?![\w^])\.?(?: (?:y|e|and) (?:{_HALF}))?"
QUANTITY = rf"{_PART}(?:(?:,? (?:y |e |and )?){_PART})*"
_INTO = r"(?:a|en|em|para|to|into|in)"
_PASS = (
    r"(?:convierte|convertir|convierta|convierteme|converta|converter|convert|pasa|pasar|pase|passe|passar|transforma|"
    r"transformar|transforme|cambia|cambiar|expresa|expresar|expresse|reduce|reducir|change)"
)
_MAKE = r"(?:hay|son|tiene|tienen|caben|equivalen?|forman|hacen|ha|tem|existem|sao|cabem|fazem|are|are there|is)"
_CLOCK = re.compile(r"(\d ?(?:h|min))(?=\d)")
_MANY = "(?:cuant[oa]s|quant[oa]s|how many)"
_ASKED = tuple(
    re.compile(text.replace("QTY", f"(?P<from>{QUANTITY})").replace("INTO", f"(?P<to>{_UNIT})"))
    for text in (
        rf"(?:{_PASS} )?QTY {_INTO} INTO",
        rf"{_MANY} INTO (?:que )?{_MAKE} (?:(?:en|em|a|in) )?QTY",
        rf"{_MANY} INTO (?:en|em|in) QTY",
        rf"QTY,? (?:{_MAKE} |a )?(?:a )?{_MANY} INTO(?: {_MAKE})?",
    )
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return a quantity in the unit that is asked for, or None."""
    said = _CLOCK.sub(r"\1 ", said)
    for asked in _ASKED:
        if (found := asked.fullmatch(said)) and (parts := _quantity(found["from"])) and (into := unit_of(found["to"])):
            text = _changed(parts, into, lang)
            return Reckoned(text, word(lang, f"about.{into.kind}")) if text else None
    return None


def unit_of(name: str) -> Unit | None:
    """Return the unit of a name as typed."""
    return UNITS.get(name.replace("^", ""))


def in_unit(value: Fraction, unit: Unit, lang: str) -> str:
    """Write a quantity: a number that is not short stays a fraction."""
    return f"{shown(value, lang)} {name_of(unit, value, lang)}"


def name_of(unit: Unit, value: Fraction, lang: str) -> str:
    """Return the sign of a unit, or its name where it has none."""
    words = words_for("edge", lang)
    key = f"reckon.unit.{unit.sign}"
    if not words.has(f"{key}.one"):
        return "L" if unit.sign == "l" else unit.sign.replace("ml", "mL")
    return words.say(f"{key}.{'one' if value <= 1 else 'many'}")


def _quantity(text: str) -> list[tuple[Fraction, Unit]]:
    """Return the parts of a quantity, `3 h 30 min`, from the largest on; nothing where they are of two kinds."""
    parts: list[tuple[Fraction, Unit]] = []
    if re.sub(_PART, "", text).strip(" ,") not in ("", "y", "e", "and"):
        return []
    for part in re.finditer(_PART, text):
        found = re.fullmatch(rf"({VALUE}|{_WORDED}) ?(?:de )?({_UNIT})\.?(?: (?:y|e|and) ({_HALF}))?", part[0])
        unit = unit_of(found[2]) if found else None
        value = number(_AMOUNTS.get(found[1], found[1])) if found else None
        if not found or unit is None or value is None or value > 10**9:
            return []
        more = number(_HALVES[found[3]]) if found[3] else None
        parts.append((value + (more or 0), unit))
    sizes = [unit.size for _, unit in parts]
    digits = any(character.isdigit() for character in text)
    falling = all(a > b for a, b in pairwise(sizes))
    if len({unit.kind for _, unit in parts}) != 1 or not falling:
        return []
    return parts if digits or _is_no_lesson(text, parts) else []


def _is_no_lesson(text: str, parts: list[tuple[Fraction, Unit]]) -> bool:
    """Tell whether an amount in words is to be worked out: how long an hour or half of it is, lessons tell."""
    return parts[0][1].kind not in ("time", "calendar", "count") or parts[0][0] > 1


def _changed(parts: list[tuple[Fraction, Unit]], into: Unit, lang: str) -> str:
    if parts[0][1].kind != into.kind or (len(parts) == 1 and parts[0][1].size == into.size):
        return ""
    total = sum((value * unit.size for value, unit in parts), Fraction(0)) / into.size
    asked = " ".join(in_unit(value, unit, lang) for value, unit in parts)
    steps = [asked, *_working(parts, into, lang)]
    if into.kind == "time" and len(parts) == 1 and total.denominator != 1:
        steps.append(_split(parts[0][0] * parts[0][1].size, into, lang))
    if is_short(total):
        return " = ".join([*(step for step in steps if step), in_unit(total, into, lang)])
    rounded = show_value(total, lang).partition(" ≈ ")[2]
    return f"{' = '.join(step for step in steps if step)} ≈ {rounded} {name_of(into, total, lang)}"


def _working(parts: list[tuple[Fraction, Unit]], into: Unit, lang: str) -> list[str]:
    """Return the multiplication or division by which a quantity is changed, where whole numbers do."""
    ratios = [unit.size / into.size for _, unit in parts]
    if len(parts) == 1 and ratios[0].numerator == 1:
        value = parts[0][0]
        return [f"{shown(value, lang)} ÷ {ratios[0].denominator} {name_of(into, Fraction(2), lang)}"]
    if any(ratio.denominator != 1 for ratio in ratios):
        return []
    name = name_of(into, Fraction(2), lang)
    steps = [
        f"{shown(value, lang)} × {ratio} {name}" if ratio != 1 else f"{shown(value, lang)} {name}"
        for (value, _), ratio in zip(parts, ratios, strict=True)
    ]
    return [" + ".join(steps)]


def _split(seconds: Fraction, into: Unit, lang: str) -> str:
    """Write a time as whole `into` and what is left in smaller units."""
    left, texts = seconds, []
    smaller = {unit.size: unit for unit in UNITS.values() if unit.kind == "time" and unit.size <= into.size}
    for size in sorted(smaller, reverse=True):
        count, left = divmod(left, size)
        if count:
            texts.append(in_unit(Fraction(count), smaller[size], lang))
    return "" if left else " ".join(texts)
