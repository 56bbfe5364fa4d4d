"""What a digit is worth by its place: `¿Qué valor tiene el 3 en 5 342?`"""

from __future__ import annotations

import re

from edge.tutor.reckon.reckoned import Reckoned, told, word
from edge.tutor.reckon.wording import NUMBER, whole

MOST_DIGITS = 6
_DIGIT = r"(?:el |la |o |a |the )?(?:(?:cifra|digito|algarismo|numero|digit) )?([0-9])"
_ASKED = re.compile(
    rf"(?:valor(?: posicional| relativo| de posicion)?(?: (?:tiene|tem))?(?: (?:de|del|do))?|vale|place value of)"
    rf" {_DIGIT} (?:en|em|in|de|no|del) (?:el |o )?(?:(?:numero|number) )?({NUMBER})"
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return what a digit is worth that stands only once in a number, or None."""
    if not (found := _ASKED.fullmatch(said)) or (value := whole(found[2], 10**MOST_DIGITS - 1)) is None:
        return None
    digits = str(value)
    if digits.count(found[1]) != 1:
        return None
    place = len(digits) - 1 - digits.index(found[1])
    values = {"place": word(lang, f"place.{place}"), "value": int(found[1]) * 10**place}
    return told(lang, "place-value", "place", digit=found[1], number=value, **values)
