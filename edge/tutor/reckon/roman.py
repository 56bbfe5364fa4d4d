"""Roman numerals to 3999, both ways: `14 en números romanos`, `¿Qué número es XIV?`"""

from __future__ import annotations

import re

from edge.tutor.reckon.reckoned import Reckoned, told
from edge.tutor.reckon.wording import NUMBER, whole

MOST = 3999
_VALUES = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_IN = r"(?:en|em|a|con|com|in|como|as)(?: (?:numeros?|algarismos?|numerais|cifras|el|o))* (?:romanos?|roman numerals?|roman)"
_HOW = r"(?:(?:como|how) (?:se |do you |to )?(?:escribe|escribo|escreve|escrevo|write|dice|diz|pone)n? )?"
_PASS = r"(?:(?:convierte|converta|converter|convertir|convert|pasa|passe|transforma|transforme) )?"
_NUMBER = r"(?:(?:el |o |the )?(?:numero|number) )?"
_TO_ROMAN = re.compile(rf"{_HOW}{_PASS}{_NUMBER}({NUMBER})(?: (?:se escribe|se escreve))? {_IN}")
_TO_ROMAN_LAST = re.compile(
    rf"(?:numeros? romanos? (?:(?:de|del|do|para) )?|{_HOW}{_IN} )(?:el |o )?{_NUMBER}({NUMBER})"
)
_FROM_ROMAN = re.compile(
    r"(?:(?:numero|number) (?:romano )?(?:es|e|is|representa)(?: (?:el|o))?(?: numero)?(?: romano)? |"
    r"(?:vale|significa) (?:el |o )?(?:numero )?romano |numero romano |roman numeral )([ivxlcdm]+)(?: (?:en|em) (?:numeros )?romanos)?"
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return a number in Roman numerals, or the number that they write, or None."""
    if found := _TO_ROMAN.fullmatch(said) or _TO_ROMAN_LAST.fullmatch(said):
        value = whole(found[1], MOST)
        return told(lang, "working", "roman", working=f"{value} = {to_roman(value)}") if value else None
    if (found := _FROM_ROMAN.fullmatch(said)) and (value := from_roman(found[1].upper())):
        return told(lang, "working", "roman", working=f"{found[1].upper()} = {value}")
    return None


def to_roman(value: int) -> str:
    """Write a number from 1 to 3999 in Roman numerals."""
    text = ""
    for size, letters in _VALUES:
        count, value = divmod(value, size)
        text += letters * count
    return text


def from_roman(text: str) -> int | None:
    """Return the number that Roman numerals write, or None where nobody writes it so."""
    value, rest = 0, text
    for size, letters in _VALUES:
        while rest.startswith(letters):
            value, rest = value + size, rest[len(letters) :]
    return value if not rest and 0 < value <= MOST and to_roman(value) == text else None
