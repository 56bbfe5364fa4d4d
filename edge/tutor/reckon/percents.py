"""Percentages and averages: `15 % de descuento en 240`, `¿Qué porcentaje es 30 de 120?`, `promedio de 4, 6 y 8`."""

from __future__ import annotations

import re
from fractions import Fraction

from edge.tutor.reckon.reckoned import Reckoned, told
from edge.tutor.reckon.wording import LIST, NUMBER, number, numbers, show_value, shown

LARGEST = 10**12
_RATE = rf"(?P<rate>{NUMBER}) ?(?:%|por ciento|por cento|percent)"
_MONEY = r"(?:(?:r\$|s/\.?|us\$|bs\.?|\$|q) ?)?"
_COINS = r"(?: (?:pesos|soles|reais|dolares|bolivianos|quetzales|lempiras|guaranies|dollars))?"
_VALUE = rf"{_MONEY}(?P<value>{NUMBER}){_COINS}"
_LESS, _MORE = r"descuento|desconto|rebaja|discount|off", r"aumento|recargo|incremento|acrescimo|increase"
_KIND = rf"(?:(?P<less>{_LESS})|(?P<more>{_MORE}))"
_ON = r"(?:en|em|de|sobre|a|para|on|al|ao)"
_THING = r"(?:(?:un |una |um |uma |el |o )?(?:articulo|camisa|precio|preco|price|compra|producto|produto) (?:de|of) )?"
_CHANGES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_RATE} (?:de )?{_KIND} {_ON} {_THING}{_VALUE}",
        rf"{_KIND} (?:del |de |do |of )?{_RATE} {_ON} {_THING}{_VALUE}",
        rf"{_THING}{_VALUE} (?:con|com|with) (?:un |una |um |uma |el |a )?{_RATE} (?:de )?{_KIND}",
        rf"{_THING}{_VALUE} (?:con|com|with) (?:un |una |um |uma |el |a )?{_KIND} (?:del |de |do |of )?{_RATE}",
        rf"{_VALUE} (?:(?P<less>menos|minus|-)|(?P<more>mas|mais|plus|\+)) (?:el |o |un |um )?{_RATE}",
    )
)
_WHAT = r"(?:porcentaje|porcentagem|por ciento|por cento|percent|percentage)"
_SHARES = (
    re.compile(rf"{_WHAT} (?:es |e |is |representa |de )?(?P<part>{NUMBER}) (?:de|of|en) (?P<all>{NUMBER})"),
    re.compile(rf"{_WHAT} (?:de|of) (?P<all>{NUMBER}) (?:es|e|is|representa) (?P<part>{NUMBER})"),
    re.compile(
        rf"(?P<part>{NUMBER}) (?:es|e|is|representa) (?:que|qual|what|cual) {_WHAT} (?:de|of) (?P<all>{NUMBER})"
    ),
)
_AVERAGE = re.compile(
    rf"(?:promedio|media aritmetica|media|average|mean) (?:de |entre |of )(?:los numeros |os numeros )?(?P<of>{LIST})"
)


def read(said: str, lang: str) -> Reckoned | None:
    """Return a price after a discount or a rise, a share in percent or an average, or None."""
    for pattern in _CHANGES:
        if found := pattern.fullmatch(said):
            return _change(number(found["rate"]), number(found["value"]), bool(found["less"]), lang)
    for pattern in _SHARES:
        if found := pattern.fullmatch(said):
            return _share(number(found["part"]), number(found["all"]), lang)
    return _average(numbers(found["of"]), lang) if (found := _AVERAGE.fullmatch(said)) else None


def _change(rate: Fraction | None, value: Fraction | None, less: bool, lang: str) -> Reckoned | None:
    if rate is None or value is None or value > LARGEST or rate > (100 if less else 1000):
        return None
    part = value * rate / 100
    result = value - part if less else value + part
    if part.denominator > 10**6 or 10**6 % part.denominator:
        return None
    sign = "-" if less else "+"
    working = f"{shown(rate, lang)} % × {shown(value, lang)} = {shown(part, lang)}"
    total = f"{shown(value, lang)} {sign} {shown(part, lang)} = {shown(result, lang)}"
    return told(lang, "working", "percent", working=f"{working}; {total}")


def _share(part: Fraction | None, whole: Fraction | None, lang: str) -> Reckoned | None:
    if part is None or not whole or max(part, whole) > LARGEST:
        return None
    rate = show_value(part / whole * 100, lang)
    about = rate.partition(" ≈ ")[2]
    sign = f"≈ {about}" if about else f"= {rate}"
    working = f"{shown(part, lang)} ÷ {shown(whole, lang)} × 100 {sign} %"
    return told(lang, "working", "percent", working=working)


def _average(values: list[Fraction], lang: str) -> Reckoned | None:
    if not 2 <= len(values) <= 20 or max(values) > LARGEST:
        return None
    result = show_value(sum(values, Fraction(0)) / len(values), lang)
    about = result.partition(" ≈ ")[2]
    terms = " + ".join(shown(value, lang) for value in values)
    sign = f"≈ {about}" if about else f"= {result}"
    return told(lang, "average", "average", working=f"({terms}) ÷ {len(values)} {sign}")
