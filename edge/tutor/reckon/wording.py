"""How a question is written: what it opens with, and the numbers in it.

`1,5` and `1.5` are one number, `1.234.567` another; `1.500` may be either of two in Latin America
and is no number here: nothing may be answered wrongly.
"""

from __future__ import annotations

import re
from fractions import Fraction

from edge.library.terms import fold

LONGEST = 120
LARGEST = 10**9
NUMBER = r"(?:\d{1,3}(?: \d{3})+(?![\d/])|\d+(?:[.,]\d+)*)"
FRACTION = r"(?:\d+ (?:(?:y|e|and) )?\d+/\d+|\d+/\d+)"
VALUE = rf"(?:{FRACTION}|{NUMBER})"
LIST = r"\d[\d.,; ]*(?:(?:,? (?:y|e|and|con|com) )\d[\d.,]*)?"

_SIGNS = {"²": "^2", "³": "^3", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "√": " raiz cuadrada de ", "−": "-", "×": " x "}
_COURTESY = (
    r"hola|oye|oiga|profe|profesora?|maestr[oa]|professora?|amauta|por favor|porfavor|porfa|oi|ola|hey|please|gracias|"
    r"obrigad[oa]|dime|me dices|me puedes decir|puedes decirme|diga|me diga|me diz|pode me dizer|quiero saber|"
    r"quero saber|necesito saber|preciso saber|tell me"
)
_ASKING = (
    r"cuanto|cual|cuales|quanto|qual|quais|que|what|which|how much|es|son|sera|sao|e|is|"
    r"are|da|el|la|los|las|lo|o|a|os|as|the|un|una|um|uma|calcula|calcule|calcular|calculate|halla|hallar|encuentra|"
    r"encontrar|encontre|determina|determine|busca|find|resuelve|resolva|resultado de|haz|dame|escribe|escreva|write"
)
_BEFORE = re.compile(rf"^(?:(?:{_COURTESY}|{_ASKING})(?![\w/])[ ,:]*)+")
_AFTER = re.compile(rf"(?:[ ,]+(?:{_COURTESY}))+$")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,})")
_THOUSANDS_POINT = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+,\d+")
_THOUSANDS_COMMA = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+\.\d+")
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_ONE = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,9})?")


def said(question: str) -> str:
    """Return what a question says: small letters, no accents, no signs around it, nothing before the point."""
    if len(question) > LONGEST:
        return ""
    for sign, written in _SIGNS.items():
        question = question.replace(sign, written)
    plain = " ".join(re.sub(r"[¿?¡!=«»\"“”]", " ", fold(question)).split()).strip(" .,:;")
    return _BEFORE.sub("", _AFTER.sub("", plain)).strip(" .,:;")


def normal(text: str) -> str | None:
    """Return a written number with a decimal point and nothing else, or None where it may be two numbers."""
    text = text.replace(" ", "")
    if _THOUSANDS.fullmatch(text):
        return re.sub(r"[.,]", "", text)
    if _THOUSANDS_POINT.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _THOUSANDS_COMMA.fullmatch(text):
        return text.replace(",", "")
    return None if _EITHER.fullmatch(text) or not _ONE.fullmatch(text) else text.replace(",", ".")


def number(text: str) -> Fraction | None:
    """Return the value of a number, a fraction `a/b` or a mixed number as written, or None."""
    if "/" not in text:
        return Fraction(plain) if (plain := normal(text)) is not None else None
    *whole, top, bottom = (int(digits) for digits in re.findall(r"\d{1,15}", text))
    if not bottom or (whole and top >= bottom):
        return None
    return sum(whole) + Fraction(top, bottom)


def whole(text: str, most: int) -> int | None:
    """Return a whole number up to `most`, or None."""
    value = number(text)
    return int(value) if value is not None and value.denominator == 1 and value <= most else None


def is_large(*values: Fraction) -> bool:
    """Tell whether a value has a numerator or denominator that no pupil writes."""
    return any(max(abs(value.numerator), value.denominator) > LARGEST for value in values)


def numbers(text: str) -> list[Fraction]:
    """Return the numbers of a list, `4, 6 y 8`; none where a comma may part two numbers or be a decimal mark."""
    parts = re.split(r"; ?|, (?:(?:y|e|and|con|com) )?| (?:y|e|and|con|com) ", text)
    if any("," in part for part in parts):
        spaced = re.search(r"[;,] ", text) is not None
        chained = text.count(",") > 1 and re.fullmatch(r"\d+(?:,\d+)+(?: (?:y|e|and) \d+)?", text) is not None
        if chained == spaced:
            return []
        parts = re.findall(r"\d+", text) if chained else parts
    values = [number(part.strip()) for part in parts]
    return [value for value in values if value is not None] if None not in values and len(values) > 1 else []


def decimal(value: Fraction, lang: str, places: int = 2) -> str:
    """Write a value rounded to `places` decimals, half up, without zeros at its end."""
    scale = 10**places
    units, rest = divmod(int(abs(value) * scale + Fraction(1, 2)), scale)
    text = f"{units}.{rest:0{places}d}".rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}{text}".replace(".", "." if lang == "en" else ",")


def is_short(value: Fraction, places: int = 6) -> bool:
    """Tell whether a value is a decimal number of at most `places` decimals."""
    return not 10**places % value.denominator


def show_value(value: Fraction, lang: str) -> str:
    """Write a value as a whole number, a short decimal, or a fraction with its rounded decimal."""
    if is_short(value):
        return decimal(value, lang, 6)
    return f"{value.numerator}/{value.denominator} ≈ {decimal(value, lang)}"


def shown(value: Fraction, lang: str) -> str:
    """Write a value as a whole number or a short decimal, else as a fraction."""
    return decimal(value, lang, 6) if is_short(value) else f"{value.numerator}/{value.denominator}"


def joined(items: list[str], lang: str) -> str:
    """Write a list as a sentence does: *4, 6 y 8*."""
    last = {"es": " y ", "pt": " e "}.get(lang, " and ")
    return f"{', '.join(items[:-1])}{last}{items[-1]}" if items[1:] else "".join(items)
