"""Powers and roots: `2 a la 5`, `5 al cuadrado`, `raíz cuadrada de 144`; tables: `tabla del 7`."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Literal

from edge.tutor.reckon.reckoned import Reckoned, told
from edge.tutor.reckon.wording import NUMBER, decimal, is_short, number, shown, whole

MOST_DIGITS = 30
_HIGH = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_TIMES = {"cuadrado": 2, "quadrado": 2, "squared": 2, "square": 2, "cubo": 3, "cubed": 3, "cube": 3}
_ORDINALS = {"segunda": 2, "tercera": 3, "terceira": 3, "cuarta": 4, "quarta": 4, "quinta": 5, "sexta": 6}
_UP = r"(?: ?\^ ?| ?\*\* ?| elevado (?:a la potencia |a la |al |a |ao |à )| a la potencia(?: de)? | a la | to the power of | to the )"
_POWER = re.compile(rf"({NUMBER}){_UP}(\d{{1,3}}|{'|'.join(_ORDINALS)})(?: potencia| power)?")
_POWER_PT = re.compile(rf"({NUMBER}) (?:elevado )?a ({'|'.join(_ORDINALS)})(?: potencia)?")
_SQUARED = re.compile(rf"({NUMBER}) (?:elevado )?(?:al |ao )?({'|'.join(_TIMES)})")
_SQUARE_OF = re.compile(rf"({'|'.join(_TIMES)}) (?:de|del|do|of) ({NUMBER})")
_ROOT = re.compile(rf"(?:raiz|square root|cube root)(?: cuadrada| quadrada)? (?:de|del|do|of) ({NUMBER})")
_CUBE_ROOT = re.compile(rf"(?:raiz cubica|cube root) (?:de|del|do|of) ({NUMBER})")
_TABLE = re.compile(
    r"(?:tabla|tabuada)(?: de multiplicar| de multiplicacion)? (?:de |del |do )(\d{1,2})|(?:multiplication table of |times table of )(\d{1,2})"
    r"|(\d{1,2}) times table"
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return a power, a root or a table, or None."""
    if found := _POWER.fullmatch(said) or _POWER_PT.fullmatch(said):
        return _power(found[1], _ORDINALS.get(found[2]) or int(found[2]), lang)
    if found := _SQUARED.fullmatch(said):
        return _power(found[1], _TIMES[found[2]], lang)
    if found := _SQUARE_OF.fullmatch(said):
        return _power(found[2], _TIMES[found[1]], lang)
    if found := _CUBE_ROOT.fullmatch(said):
        return _root(found[1], 3, lang)
    if found := _ROOT.fullmatch(said):
        return _root(found[1], 2, lang)
    if found := _TABLE.fullmatch(said):
        return _table(int(found[1] or found[2] or found[3]), lang)
    return None


def root(value: int, power: Literal[2, 3]) -> int:
    """Return the largest whole number whose square, or cube, is at most `value`."""
    if power == 2:
        return math.isqrt(value)
    guess = round(math.cbrt(value))
    while guess**power > value:
        guess -= 1
    while (guess + 1) ** power <= value:
        guess += 1
    return guess


def _power(base: str, times: int, lang: str) -> Reckoned | None:
    value = number(base)
    if value is None or len(str(value.numerator)) * times > MOST_DIGITS or times > 100:
        return None
    result = value**times
    if not is_short(result) or (value == 0 and times == 0):
        return None
    steps = [f"{shown(value, lang)}{str(times).translate(_HIGH)}"]
    if 2 <= times <= 8:
        steps.append(" × ".join([shown(value, lang)] * times))
    return told(lang, "working", "power", working=" = ".join([*steps, shown(result, lang)]))


def _root(text: str, power: Literal[2, 3], lang: str) -> Reckoned | None:
    if (value := whole(text, 10**12)) is None:
        return None
    low, sign = root(value, power), "√" if power == 2 else "∛"

    def product(side: int) -> str:
        return f"{' × '.join([str(side)] * power)} = {side**power}"

    if low**power == value:
        return told(lang, "root", "root", root=f"{sign}{value}", value=low, product=product(low))
    near = Fraction(root(value * 1000**power, power), 1000)
    values = {"low": product(low), "high": product(low + 1), "value": decimal(near, lang)}
    return told(lang, "root-between", "root", root=f"{sign}{value}", a=low, b=low + 1, **values)


def _table(value: int, lang: str) -> Reckoned | None:
    if not 1 <= value <= 20:
        return None
    rows = "; ".join(f"{value} × {times} = {value * times}" for times in range(1, 11))
    return told(lang, "working", "multiplication", working=rows)
