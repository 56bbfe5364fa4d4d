"""Perimeter and area of a square, a rectangle, a triangle and a circle: the formula, the numbers in it, the result.

What was measured is read word by word: one word that is not known, and nothing is answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from edge.tutor.reckon.reckoned import Reckoned, told
from edge.tutor.reckon.units import name_of, unit_of
from edge.tutor.reckon.units_table import Unit
from edge.tutor.reckon.wording import NUMBER, number, shown

PI = Fraction(314, 100)
LARGEST = 10**6
_SHAPES = {
    "square": "cuadrado|quadrado|square",
    "rectangle": "rectangulo|retangulo|rectangle",
    "equilateral": "triangulo equilatero|equilateral triangle",
    "triangle": "triangulo(?: retangulo| rectangulo)?|triangle",
    "circle": "circulo|circunferencia|circle",
}
_LABELS = {
    "base": "base", "altura": "height", "alto": "height", "height": "height", "largo": "length", "longitud": "length",
    "comprimento": "length", "length": "length", "ancho": "width", "anchura": "width", "largura": "width",
    "width": "width", "lado": "side", "lados": "side", "side": "side", "sides": "side", "radio": "radius",
    "raio": "radius", "radius": "radius", "diametro": "diameter", "diameter": "diameter",
}  # fmt: skip
_BETWEEN = re.compile(
    "de|del|do|da|con|com|que|miden?|medem?|tienen?|tem|cuy[oa]s?|cuj[oa]s?|sus?|seus?|sua|of|with|es|y|e|and|is|are|por|x|by"
    "|una?|uma?|a|el|la|los|las|o|os|as|the"
)
_SHAPE = f"(?:{'|'.join(f'(?P<{name}>{names})' for name, names in _SHAPES.items())})"
_A = "(?:(?:un|una|um|uma|el|la|o|a|the|an) )?"
_MEASURE = (
    "(?:(?P<area>area|superficie)|(?P<perimeter>perimetro|perimeter)"
    "|(?P<round>circumference|longitud|comprimento|circunferencia))"
)
_ASK = "(?:cual es|cuanto es|cuanto mide|qual e|quanto mede|calcula|calcule|halla|encuentra|what is)"
_ASKED = (
    re.compile(rf"(?:(?:mide|mede) (?:el |la |o |a )?)?{_MEASURE} (?:de|del|da|do|of) {_A}{_SHAPE},? (?P<sizes>.+)"),
    re.compile(
        rf"(?:si |se |if )?{_A}{_SHAPE},? (?P<sizes>.+?)[,.;]? {_ASK} (?:el |la |o |a )?(?:su |sua |seu |its )?{_MEASURE}"
    ),
)
_TOKEN = re.compile(rf" ?,? ?(?:(?P<number>{NUMBER})|(?P<word>[a-z]+)\.?)(?= |,|$)")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What was measured of a shape."""

    values: tuple[Fraction, ...]
    names: tuple[str, ...]
    """One for each value, one for all of them, or none."""

    unit: Unit | None


def read(said: str, lang: str) -> Reckoned | None:
    """Return perimeter or area of the shape that is described, or None."""
    for asked in _ASKED:
        if (found := asked.fullmatch(said)) and (sizes := sizes_of(found["sizes"])):
            shape = next(name for name in _SHAPES if found[name])
            if found["round"] and shape != "circle":
                return None
            return _answer(shape, "area" if found["area"] else "perimeter", sizes, lang)
    return None


def sizes_of(text: str) -> Sizes | None:
    """Read what a shape measures: numbers, all of one unit, with names before or after them, or without."""
    text = re.sub(r"(?<=\d)(?=[a-z])", " ", re.sub(r"(?<=\d) ?[x*] ?(?=\d)", " x ", text))
    values, names, units, order, at = list[Fraction](), list[str](), list[str](), "", 0
    while at < len(text):
        if (token := _TOKEN.match(text, at)) is None:
            return None
        at = token.end()
        if token["number"]:
            value = number(token["number"])
            if value is None or not 0 < value <= LARGEST:
                return None
            values, units, order = [*values, value], [*units, ""], f"{order}n"
        elif order.endswith("n") and not units[-1] and unit_of(token["word"]):
            units[-1] = token["word"]
        elif token["word"] in _LABELS:
            names, order = [*names, _LABELS[token["word"]]], f"{order}w"
        elif not _BETWEEN.fullmatch(token["word"]):
            return None
    if not re.fullmatch(r"n+|(wn)+|(nw)+|wn+", order):
        return None
    if not any(units[:-1]):
        units = units[-1:]  # 5 por 8 cm
    unit = unit_of(units[0]) if units[0] else None
    if any(unit_of(text) != unit for text in units if text) or "" in units[:-1] or (units[0] and not units[-1]):
        return None
    return Sizes(tuple(values), tuple(names), unit) if unit is None or unit.kind == "length" else None


def _answer(shape: str, measure: str, sizes: Sizes, lang: str) -> Reckoned | None:
    key, numbers, value = f"{shape}-{measure}", sizes.values, Fraction(0)
    names, count = set(sizes.names), len(sizes.values)
    if shape == "square" and names <= {"side"} and (count == 1 or (count == 2 and numbers[0] == numbers[1])):
        value = numbers[0] * (numbers[0] if measure == "area" else 4)
    elif shape == "rectangle" and count == 2 and _are_two_sides(sizes):
        if names == {"base", "height"}:
            key = f"base-{measure}"
            numbers = numbers if sizes.names[0] == "base" else numbers[::-1]
        else:
            numbers = (max(numbers), min(numbers))
        value = numbers[0] * numbers[1] if measure == "area" else 2 * (numbers[0] + numbers[1])
    elif key == "triangle-area" and count == 2 and names == {"base", "height"}:
        numbers = numbers if sizes.names[0] == "base" else numbers[::-1]
        value = numbers[0] * numbers[1] / 2
    elif key == "triangle-perimeter" and count == 3 and names <= {"side"} and 2 * max(numbers) < sum(numbers):
        value = sum(numbers, Fraction(0))
    elif key == "equilateral-perimeter" and count == 1 and names <= {"side"}:
        value = 3 * numbers[0]
    elif shape == "circle" and count == 1 and names in ({"radius"}, {"diameter"}):
        if names == {"diameter"}:
            key, numbers = f"{key}-diameter", (numbers[0] / 2, numbers[0])
        value = PI * numbers[0] * (numbers[0] if measure == "area" else 2)
    if not value:
        return None
    a, b, c = (*(shown(number, lang) for number in numbers), "", "")[:3]
    return told(lang, key, measure, a=a, b=b, c=c, pi=shown(PI, lang), value=_written(value, measure, sizes.unit, lang))


def _are_two_sides(sizes: Sizes) -> bool:
    """Tell whether two values are the two sides of a rectangle."""
    names = set(sizes.names)
    return names <= {"side"} or (len(names) == 2 and names <= {"base", "height", "length", "width"})


def _written(value: Fraction, measure: str, unit: Unit | None, lang: str) -> str:
    name = f" {name_of(unit, value, lang)}" if unit else ""
    return f"{shown(value, lang)}{name}{'²' if unit and measure == 'area' else ''}"
