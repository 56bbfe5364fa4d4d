"""Fractions as a school writes them: `3/4 + 1/2`, `3/4 de 20`, `simplifica 6/8`, `¿cuál es mayor, 3/4 o 2/3?`."""

from __future__ import annotations

import re
from fractions import Fraction
from math import gcd, lcm

from edge.tutor.reckon.fraction_sums import forms, fraction_sum
from edge.tutor.reckon.reckoned import Reckoned, told, word
from edge.tutor.reckon.sums import DATE
from edge.tutor.reckon.wording import FRACTION, LARGEST, NUMBER, VALUE, decimal, is_large, is_short, number, shown

_A = r"(?:(?:la |a |the )?(?:fraccion|fracao|fraction) )?"
_SIMPLIFY = re.compile(
    rf"(?:simplifi\w+|simplify|reduc\w+|reduz\w*|(?:forma |fraccion |fracao )?(?:irreducible|irredutivel|mas simple) de) {_A}(\d+)/(\d+)"
)
_OR = r"(?: ?, ?| )(?:o|ou|or|y|e|and|que) "
_NOUN = r"(?:(?:fraccion|fracao|numero|number|fraction|de|es|e|is) ?)*"
_MORE = r"(?P<more>mayor|maior|mas grande|greater|bigger|larger)|menor|mas pequen[oa]|mas chic[oa]|smaller|less"
_WHICH = re.compile(rf"{_NOUN}(?:{_MORE}) ?[:,]? ?(?:entre |fraccion |fracao )?({VALUE}){_OR}({VALUE})")
_IS = re.compile(rf"({VALUE}) (?:es |e |is )?(?:{_MORE}) (?:que|do que|than) ({VALUE})")
_PASS = (
    r"(?:(?:convierte|convertir|convierta|converta|converter|convert|pasa|pasar|passe|expresa|transforma|transforme) )?"
)
_TO = r"(?:a|en|em|como|para|to|into|as) (?:un |una |um |uma |a )?"
_TO_DECIMAL = re.compile(rf"{_PASS}{_A}({FRACTION}) {_TO}(?:numero |forma |number )?(?:decimal|decimales|decimais)")
_TO_FRACTION = re.compile(rf"{_PASS}({NUMBER}) {_TO}(?:fraccion|fracao|fraction)")
_TO_MIXED = re.compile(
    rf"{_PASS}{_A}(\d+/\d+) {_TO}(?:numero |fraccion |fracao )?(?:mixto|mixta|misto|mista|mixed number)"
)
_PARTS = {
    "tercio": 3, "terco": 3, "tercera": 3, "terca": 3, "cuarto": 4, "cuarta": 4, "quarto": 4, "quarta": 4, "quinto": 5,
    "quinta": 5, "sexto": 6, "sexta": 6, "septimo": 7, "septima": 7, "setimo": 7, "setima": 7, "octavo": 8, "octava": 8,
    "oitavo": 8, "oitava": 8, "noveno": 9, "novena": 9, "nono": 9, "nona": 9, "decimo": 10, "decima": 10,
}  # fmt: skip
_COUNTS = {"dos": 2, "dois": 2, "duas": 2, "tres": 3, "cuatro": 4, "quatro": 4, "cinco": 5}
_NAMED = re.compile(rf"(?:({'|'.join(_COUNTS)}) )?({'|'.join(_PARTS)})s?(?: partes?)? (?=(?:de|del|do) \d)")
"""A fraction in words, `tercera parte de 15`, `tres cuartos de 20`."""

_OF = re.compile(rf"(?:las |los |os |as )?(\d+)/(\d+) (?:de|of|del|do) ({VALUE})")


def read(said: str, lang: str) -> Reckoned | None:
    """Return the answer to a question about fractions, or None."""
    said = _NAMED.sub(lambda found: f"{_COUNTS.get(found[1], 1)}/{_PARTS[found[2]]} ", said)
    if "/" not in said and " en fra" not in said and " a fra" not in said and not _has_compared(said):
        return None
    if DATE.fullmatch(said):
        return None
    text = _simplified(said, lang) or _compared(said, lang) or _changed(said, lang)
    text = text or _of(said, lang) or fraction_sum(said, lang)
    return Reckoned(text, word(lang, "about.fractions")) if text else None


def _has_compared(said: str) -> bool:
    return _WHICH.fullmatch(said) is not None or _IS.fullmatch(said) is not None


def _simplified(said: str, lang: str) -> str:
    found = _SIMPLIFY.fullmatch(said)
    if not found:
        return ""
    top, bottom = int(found[1]), int(found[2])
    if not 0 < bottom <= LARGEST or top > LARGEST:
        return ""
    common = gcd(top, bottom)
    key = "simple" if common > 1 else "irreducible"
    parted = f"({top} ÷ {common})/({bottom} ÷ {common})"
    value = " = ".join(forms(Fraction(top, bottom), lang)[: 2 if top > bottom else 1])
    return told(lang, key, "fractions", fraction=f"{top}/{bottom}", parted=parted, value=value).text


def _compared(said: str, lang: str) -> str:
    found = _WHICH.fullmatch(said) or _IS.fullmatch(said)
    if not found:
        return ""
    left, right = (text for text in found.groups() if text and text[0].isdigit())
    one, other = number(left), number(right)
    if one is None or other is None or is_large(one, other):
        return ""
    sign = ">" if one > other else "<" if one < other else "="
    working = f"{left} {sign} {right}"
    if "/" in left and "/" in right:
        bottom = lcm(one.denominator, other.denominator)
        steps = ((left, f"{one * bottom}/{bottom}"), (right, f"{other * bottom}/{bottom}"))
        working = "; ".join([*(f"{text} = {step}" for text, step in steps if text != step), working])
    if _IS.fullmatch(said):
        return told(lang, "yes" if sign == (">" if found["more"] else "<") else "no", "fractions", because=working).text
    if sign == "=":
        return told(lang, "equal", "fractions", working=working).text
    key = "greater" if found["more"] else "smaller"
    return told(
        lang, key, "fractions", working=working, which=left if (one > other) == bool(found["more"]) else right
    ).text


def _changed(said: str, lang: str) -> str:
    if found := _TO_DECIMAL.fullmatch(said):
        value = number(found[1])
        if value is None or is_large(value):
            return ""
        sign = "=" if is_short(value) else "≈"
        top = f"{value.numerator} ÷ {value.denominator}"
        return f"{found[1]} = {top} {sign} {decimal(value, lang, 6 if sign == '=' else 2)}"
    if found := _TO_FRACTION.fullmatch(said):
        value = number(found[1])
        if value is None or value.denominator == 1 or value > LARGEST:
            return ""
        bottom = 10 ** len(found[1].replace(",", ".").rpartition(".")[2])
        return " = ".join(dict.fromkeys([shown(value, lang), f"{value * bottom}/{bottom}", *forms(value, lang)[:2]]))
    if (found := _TO_MIXED.fullmatch(said)) and (value := number(found[1])) is not None and 1 < value <= LARGEST:
        return " = ".join(dict.fromkeys([found[1], *forms(value, lang)[:2]]))
    return ""


def _of(said: str, lang: str) -> str:
    if not (found := _OF.fullmatch(said)) or (whole := number(found[3])) is None:
        return ""
    if "/" in found[3]:
        return fraction_sum(f"{found[1]}/{found[2]} * {found[3]}", lang)
    top, bottom = int(found[1]), int(found[2])
    if not bottom or is_large(whole, Fraction(top), Fraction(bottom)):
        return ""
    times = f" × {top}" if top != 1 else ""
    value = " = ".join(forms(whole * top / bottom, lang))
    return f"{top}/{bottom} × {shown(whole, lang)} = {shown(whole, lang)} ÷ {bottom}{times} = {value}"
