"""Whole numbers and ordinals in words, in Spanish, Portuguese and English.

Pure. Up to a trillion; longer ones are the caller's matter. `gender` is "" for a number on
its own (veintiuno), "m" or "f" before a noun (veintiún, veintiuna).
"""

from __future__ import annotations

from typing import Literal

Gender = Literal["", "m", "f"]

MOST = 10**12 - 1
"""The largest number that has words here."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ES_SMALL = _words(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco "
    "veintiséis veintisiete veintiocho veintinueve"
)
_ES_TENS = _words("- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_ES_HUNDREDS = _words(
    "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_PT_SMALL = _words(
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis "
    "dezessete dezoito dezenove"
)
_PT_TENS = _words("- - vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
_PT_HUNDREDS = _words("- cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos")
_EN_SMALL = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_EN_TENS = _words("- - twenty thirty forty fifty sixty seventy eighty ninety")

_ORDINALS = {
    "es": _words(
        "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo "
        "decimotercero decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno vigésimo"
    ),
    "pt": _words(
        "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo décimo-primeiro "
        "décimo-segundo décimo-terceiro décimo-quarto décimo-quinto décimo-sexto décimo-sétimo "
        "décimo-oitavo décimo-nono vigésimo"
    ),
    "en": _words(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
        "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
    ),
}


def number_words(number: int, lang: str, gender: Gender = "") -> str:
    """Return 0 to `MOST` in words."""
    if lang == "pt":
        return _portuguese(number, gender)
    return _english(number) if lang == "en" else _spanish(number, gender)


def ordinal_words(number: int, lang: str, gender: Gender = "") -> str:
    """Return 1 to 20 as an ordinal; beyond, the plain number, as people say it."""
    names = _ORDINALS[lang]
    if not 1 <= number <= len(names):
        return number_words(number, lang, gender)
    word = names[number - 1]
    if lang == "en":
        return word
    if gender == "f":
        return "-".join(f"{part[:-1]}a" if part.endswith("o") else part for part in word.split("-"))
    return word[:-1] if lang == "es" and gender == "m" and number in (1, 3) else word


def _spanish(number: int, gender: Gender) -> str:
    millions, rest = divmod(number, 10**6)
    thousands, units = divmod(rest, 1000)
    parts = []
    if millions:
        parts.append("un millón" if millions == 1 else f"{_spanish(millions, 'm')} millones")
    if thousands:
        before: Gender = "f" if gender == "f" else "m"
        parts.append("mil" if thousands == 1 else f"{_spanish_hundreds(thousands, before)} mil")
    if units or not number:
        parts.append(_spanish_hundreds(units, gender))
    return " ".join(parts)


def _spanish_hundreds(number: int, gender: Gender) -> str:
    if number == 100:
        return "cien"
    hundreds, rest = divmod(number, 100)
    words = []
    if hundreds:
        name = _ES_HUNDREDS[hundreds]
        words.append(f"{name[:-2]}as" if gender == "f" and hundreds > 1 else name)
    if rest >= 30:
        words.append(_ES_TENS[rest // 10])
        if rest % 10:
            words += ["y", _spanish_one(rest % 10, gender)]
    elif rest or not number:
        words.append(_spanish_one(rest, gender))
    return " ".join(words)


def _spanish_one(number: int, gender: Gender) -> str:
    if number == 1:
        return {"": "uno", "m": "un", "f": "una"}[gender]
    if number == 21:
        return {"": "veintiuno", "m": "veintiún", "f": "veintiuna"}[gender]
    return _ES_SMALL[number]


def _portuguese(number: int, gender: Gender) -> str:
    groups: list[tuple[int, str]] = []
    for size, one, many in ((10**9, "bilhão", "bilhões"), (10**6, "milhão", "milhões"), (1000, "mil", "mil")):
        count, number = divmod(number, size)
        if count == 1 and size == 1000:
            groups.append((count, "mil"))
        elif count:
            words = _portuguese_hundreds(count, gender if size == 1000 else "m")
            groups.append((count, f"{words} {one if count == 1 else many}"))
    if number or not groups:
        groups.append((number, _portuguese_hundreds(number, gender)))
    text = groups[0][1]
    for position, (count, words) in enumerate(groups[1:], start=2):
        last = position == len(groups)
        text += " e " if last and (count < 100 or count % 100 == 0) else " "
        text += words
    return text


def _portuguese_hundreds(number: int, gender: Gender) -> str:
    if number == 100:
        return "cem"
    hundreds, rest = divmod(number, 100)
    words = []
    if hundreds:
        name = _PT_HUNDREDS[hundreds]
        words.append(f"{name[:-2]}as" if gender == "f" and hundreds > 1 else name)
    if rest >= 20:
        words.append(_PT_TENS[rest // 10])
        rest %= 10
        if rest:
            words.append(_portuguese_one(rest, gender))
    elif rest or not number:
        words.append(_portuguese_one(rest, gender))
    return " e ".join(words)


def _portuguese_one(number: int, gender: Gender) -> str:
    if gender == "f" and number in (1, 2):
        return ("uma", "duas")[number - 1]
    return _PT_SMALL[number]


def _english(number: int) -> str:
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            count, rest = divmod(number, size)
            tail = f" {_english(rest)}" if rest else ""
            return f"{_english(count)} {name}{tail}"
    if number < 20:
        return _EN_SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_EN_TENS[tens]}-{_EN_SMALL[ones]}" if ones else _EN_TENS[tens]
