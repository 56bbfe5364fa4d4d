"""The units a school uses, their names in Spanish, Portuguese and English, and how much each is.

Only what is the same everywhere: no arroba, quintal, legua, libra or league, and no days in a month or year.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of one kind of quantity."""

    kind: str
    size: Fraction
    """In the smallest unit of its kind."""

    sign: str
    """What is written after a number; for a unit without a sign, the key of its name."""


_SIGNED = {
    "length": {
        "mm": (1, "milimetro(s) millimetRE(s)"),
        "cm": (10, "cms centimetro(s) centimetRE(s)"),
        "dm": (100, "decimetro(s) decimetRE(s)"),
        "m": (1000, "mt(s) metro(s) metRE(s)"),
        "dam": (10_000, "decametro(s) decametRE(s)"),
        "hm": (100_000, "hectometro(s) hectometRE(s)"),
        "km": (1_000_000, "kms kilometro(s) quilometro(s) kilometRE(s)"),
    },
    "mass": {
        "mg": (1, "miligramo(s) miligrama(s) milligram(s)"),
        "cg": (10, "centigramo(s) centigrama(s) centigram(s)"),
        "dg": (100, "decigramo(s) decigrama(s) decigram(s)"),
        "g": (1000, "gr(s) gramo(s) grama(s) gram(s)"),
        "dag": (10_000, "decagramo(s) decagrama(s) decagram(s)"),
        "hg": (100_000, "hectogramo(s) hectograma(s) hectogram(s)"),
        "kg": (1_000_000, "kgs kilo(s) quilo(s) kilogramo(s) quilograma(s) kilogram(s)"),
        "t": (1_000_000_000, "tonelada(s) tonne(s)"),
    },
    "capacity": {
        "ml": (1, "mililitro(s) millilitRE(s) cm3 centimetro(s) cubico(s)"),
        "cl": (10, "centilitro(s) centilitRE(s)"),
        "dl": (100, "decilitro(s) decilitRE(s)"),
        "l": (1000, "lt(s) litro(s) litRE(s) dm3 decimetro(s) cubico(s)"),
        "dal": (10_000, "decalitro(s) decalitRE(s)"),
        "hl": (100_000, "hectolitro(s) hectolitRE(s)"),
        "kl": (1_000_000, "kilolitro(s) quilolitro(s) kilolitRE(s)"),
        "m³": (1_000_000, "m3 metro(s) cubico(s) cubic metRE(s)"),
    },
    "area": {
        "mm²": (1, "mm2 milimetro(s) cuadrado(s) milimetro(s) quadrado(s) square millimetRE(s)"),
        "cm²": (100, "cm2 centimetro(s) cuadrado(s) centimetro(s) quadrado(s) square centimetRE(s)"),
        "dm²": (10_000, "dm2 decimetro(s) cuadrado(s) decimetro(s) quadrado(s) square decimetRE(s)"),
        "m²": (1_000_000, "m2 mt(s)2 metro(s) cuadrado(s) metro(s) quadrado(s) square metRE(s)"),
        "ha": (10_000_000_000, "has hectarea(s) hectare(s)"),
        "km²": (10**12, "km2 kilometro(s) cuadrado(s) quilometro(s) quadrado(s) square kilometRE(s)"),
    },
    "time": {
        "s": (1, "seg(s) segundo(s) second(s)"),
        "min": (60, "mins minuto(s) minute(s)"),
        "h": (3600, "hs hr(s) hora(s) hour(s)"),
        "day": (86_400, "dia(s) day(s)"),
        "week": (604_800, "semana(s) week(s)"),
    },
    "calendar": {
        "month": (1, "mes meses month(s)"),
        "bimester": (2, "bimestre(s) bimester(s)"),
        "quarter": (3, "trimestre(s) quarter(s)"),
        "semester": (6, "semestre(s) semester(s)"),
        "year": (12, "año(s) ano(s) year(s)"),
        "lustrum": (60, "lustro(s) lustrum(s)"),
        "decade": (120, "decada(s) decade(s)"),
        "century": (1200, "siglo(s) seculo(s) century centuries"),
        "millennium": (12_000, "milenio(s) millennium millennia"),
    },
    "count": {
        "unit": (1, "unidad unidades unidade(s) huevo(s) ovo(s) unit(s) egg(s)"),
        "ten": (10, "decena(s) dezena(s)"),
        "dozen": (12, "docena(s) duzia(s) dozen(s)"),
        "hundred": (100, "centena(s)"),
    },
}  # fmt: skip
_AFTER, _BEFORE = ("cubico", "cuadrado", "quadrado"), ("square", "cubic")


def _names(sign: str, text: str) -> list[str]:
    """Return every way to write a unit: *meter*, *meters*, *metre*, *metres*."""
    names, words = [sign.replace("²", "2").replace("³", "3")], text.split()
    for at, word in enumerate(words):
        if word.removesuffix("(s)") in _AFTER or (at and words[at - 1] in _BEFORE):
            names[-1] = f"{names[-1]} {word}"
        else:
            names.append(word)
    return [spelt for name in names for spelt in _spelt(name)]


def _spelt(name: str) -> list[str]:
    if "RE" in name:
        return [spelt for end in ("re", "er") for spelt in _spelt(name.replace("RE", end))]
    return [name.replace("(s)", "s"), name.replace("(s)", "")]


UNITS: dict[str, Unit] = {
    name: Unit(kind, Fraction(size), sign)
    for kind, units in _SIGNED.items()
    for sign, (size, text) in units.items()
    for name in _names(sign, text)
}
"""A unit for each name, in small letters without accents."""
