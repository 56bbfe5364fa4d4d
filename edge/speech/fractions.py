"""Fractions in words: tres cuartos, um terço, two fifths.

Pure. Parts without a name of their own are said as people do at the blackboard: 3 sobre 32.
"""

from __future__ import annotations

import unicodedata

from edge.speech.lexicon import LEXICONS
from edge.speech.numerals import number_words

_ROUND = {
    "es": {100: "centésimo", 1000: "milésimo"},
    "pt": {100: "centésimo", 1000: "milésimo"},
    "en": {100: "hundredth", 1000: "thousandth"},
}


def fraction_words(top: int, bottom: int, lang: str) -> str:
    """Return `top`/`bottom` in words."""
    many = "" if top == 1 else "s"
    name = LEXICONS[lang].by_halves.get(bottom) or _ROUND[lang].get(bottom)
    if name:
        count = number_words(top, lang, "m")
        return f"{count} halves" if many and name == "half" else f"{count} {name}{many}"
    counted = f"{number_words(top, lang, 'm')} {{}}"
    if lang == "es" and (10 < bottom < 30 or bottom in range(30, 100, 10)):
        part = "".join(c for c in unicodedata.normalize("NFD", number_words(bottom, lang)) if c.isalpha())
        return counted.format(f"{part.removesuffix('o') if part.endswith('uno') else part}avo{many}")
    if lang == "pt" and 10 < bottom < 100:
        return counted.format(f"{number_words(bottom, lang)} avos")
    return f"{number_words(top, lang)} {LEXICONS[lang].over} {number_words(bottom, lang)}"
