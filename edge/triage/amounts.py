"""The amounts in a text, so that a translation can be held against its original: every number, with its unit.

Pure, and blind on purpose to everything that is a word of some language: a number written as a word is not an amount here.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

UNITS = "mmhg|mcg|mg|kg|g|meq|ml|dl|cl|l|cm|mm|km|m|ui|iu|°c|°f|º|°|%|/min|/h|h"
SAME = {"µg": "mcg", "μg": "mcg", "iu": "ui", "º": "°", "ºc": "°c"}
AMOUNT = re.compile(rf"(\d+(?:[.,]\d+)*)(?:\s*({UNITS}|[µμ]g|ºc)(?![^\W\d_]))?")


def amounts(text: str) -> Counter[tuple[str, str]]:
    """Count each number with its unit; 1,5 mL and 1.5 ml are the same, and so are digits of any script."""
    plain = "".join(_digit(char) for char in unicodedata.normalize("NFKC", text.replace("½", " 1/2 "))).casefold()
    return Counter(
        (number.replace(",", "."), SAME.get(unit or "", unit or "")) for number, unit in AMOUNT.findall(plain)
    )


def in_words(found: Counter[tuple[str, str]]) -> str:
    """Write amounts as a person reads them, `-` where there are none."""
    return ", ".join(f"{number} {unit}".strip() for number, unit in sorted(found.elements())) or "-"


def _digit(char: str) -> str:
    value = unicodedata.digit(char, None)
    return char if value is None else str(value)
