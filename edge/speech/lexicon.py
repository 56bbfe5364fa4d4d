"""What is spoken for signs, units, money and abbreviations, language by language.

Data only. These are words for the ear, so they stand here and not in the strings for the eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Named = tuple[str, str, Literal["m", "f"]]
"""One, many, and the gender a number before it takes."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The spoken words of one language."""

    months: tuple[str, ...]
    units: Mapping[str, Named]
    money: Mapping[str, tuple[Named, Named]]
    """Sign to coin and hundredth of a coin."""

    signs: Mapping[str, str]
    minus: str
    to: str
    """Between the ends of a range: 10-15."""

    comma: str
    point: str
    by_halves: Mapping[int, str]
    """Names of the parts of a whole: 2 to 10."""

    part_ending: str
    """Put after the number for smaller parts: once-avo."""

    powers: tuple[str, str, str]
    """Said after a number with a small 2, a small 3, and before the number in any other place."""

    over: str
    and_: str
    of: str
    with_cents: str
    abbreviations: Mapping[str, str]
    """As written, with its points, to as said."""


_ES = Lexicon(
    months=(
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
        "noviembre", "diciembre",
    ),
    units={
        "mm": ("milímetro", "milímetros", "m"), "cm": ("centímetro", "centímetros", "m"),
        "m": ("metro", "metros", "m"), "km": ("kilómetro", "kilómetros", "m"),
        "cm²": ("centímetro cuadrado", "centímetros cuadrados", "m"),
        "m²": ("metro cuadrado", "metros cuadrados", "m"),
        "km²": ("kilómetro cuadrado", "kilómetros cuadrados", "m"),
        "m³": ("metro cúbico", "metros cúbicos", "m"),
        "cm³": ("centímetro cúbico", "centímetros cúbicos", "m"),
        "ha": ("hectárea", "hectáreas", "f"),
        "km/h": ("kilómetro por hora", "kilómetros por hora", "m"),
        "mg": ("miligramo", "miligramos", "m"), "g": ("gramo", "gramos", "m"), "kg": ("kilo", "kilos", "m"),
        "t": ("tonelada", "toneladas", "f"),
        "ml": ("mililitro", "mililitros", "m"), "l": ("litro", "litros", "m"),
        "s": ("segundo", "segundos", "m"), "min": ("minuto", "minutos", "m"), "h": ("hora", "horas", "f"),
        "°c": ("grado Celsius", "grados Celsius", "m"), "°": ("grado", "grados", "m"),
        "%": ("por ciento", "por ciento", "m"),
    },
    money={
        "US$": (("dólar", "dólares", "m"), ("centavo", "centavos", "m")),
        "R$": (("real", "reales", "m"), ("centavo", "centavos", "m")),
        "S/": (("sol", "soles", "m"), ("céntimo", "céntimos", "m")),
        "Bs": (("boliviano", "bolivianos", "m"), ("centavo", "centavos", "m")),
        "Q": (("quetzal", "quetzales", "m"), ("centavo", "centavos", "m")),
        "₲": (("guaraní", "guaraníes", "m"), ("céntimo", "céntimos", "m")),
        "$": (("peso", "pesos", "m"), ("centavo", "centavos", "m")),
        "€": (("euro", "euros", "m"), ("céntimo", "céntimos", "m")),
    },
    signs={
        "+": "más", "=": "es igual a", "×": "por", "·": "por", "*": "por", "÷": "entre", "/": "entre",
        ":": "entre", "<": "es menor que", ">": "es mayor que", "≤": "es menor o igual que",
        "≥": "es mayor o igual que", "≠": "es distinto de", "≈": "es casi igual a", "±": "más o menos",
        "√": "raíz cuadrada de", "∛": "raíz cúbica de", "&": "y", "@": "arroba", "#": "número", "%": "por ciento", "→": ",",
    },
    minus="menos", to="a", comma="coma", point="punto",
    by_halves={
        2: "medio", 3: "tercio", 4: "cuarto", 5: "quinto", 6: "sexto", 7: "séptimo", 8: "octavo", 9: "noveno",
        10: "décimo",
    },
    powers=("al cuadrado", "al cubo", "elevado a"),
    part_ending="avo", over="sobre", and_="y", of="de", with_cents="con",
    abbreviations={
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora",
        "Prof.": "profesor", "Profa.": "profesora", "Ud.": "usted", "Uds.": "ustedes",
        "p. ej.": "por ejemplo", "p.ej.": "por ejemplo", "etc.": "etcétera", "pág.": "página",
        "págs.": "páginas", "núm.": "número", "N.º": "número", "n.º": "número",
        "a. C.": "antes de Cristo", "a.C.": "antes de Cristo",
        "d. C.": "después de Cristo", "d.C.": "después de Cristo", "EE. UU.": "Estados Unidos",
        "EE.UU.": "Estados Unidos", "cap.": "capítulo", "aprox.": "aproximadamente", "máx.": "máximo",
        "mín.": "mínimo", "Av.": "avenida", "a. m.": "de la mañana", "a.m.": "de la mañana",
        "p. m.": "de la tarde", "p.m.": "de la tarde", "tel.": "teléfono", "gral.": "general",
    },
)  # fmt: skip
_PT = Lexicon(
    months=(
        "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
        "novembro", "dezembro",
    ),
    units={
        "mm": ("milímetro", "milímetros", "m"), "cm": ("centímetro", "centímetros", "m"),
        "m": ("metro", "metros", "m"), "km": ("quilômetro", "quilômetros", "m"),
        "cm²": ("centímetro quadrado", "centímetros quadrados", "m"),
        "m²": ("metro quadrado", "metros quadrados", "m"),
        "km²": ("quilômetro quadrado", "quilômetros quadrados", "m"),
        "m³": ("metro cúbico", "metros cúbicos", "m"),
        "cm³": ("centímetro cúbico", "centímetros cúbicos", "m"),
        "ha": ("hectare", "hectares", "m"),
        "km/h": ("quilômetro por hora", "quilômetros por hora", "m"),
        "mg": ("miligrama", "miligramas", "m"), "g": ("grama", "gramas", "m"), "kg": ("quilo", "quilos", "m"),
        "t": ("tonelada", "toneladas", "f"),
        "ml": ("mililitro", "mililitros", "m"), "l": ("litro", "litros", "m"),
        "s": ("segundo", "segundos", "m"), "min": ("minuto", "minutos", "m"), "h": ("hora", "horas", "f"),
        "°c": ("grau Celsius", "graus Celsius", "m"), "°": ("grau", "graus", "m"),
        "%": ("por cento", "por cento", "m"),
    },
    money={
        "US$": (("dólar", "dólares", "m"), ("centavo", "centavos", "m")),
        "R$": (("real", "reais", "m"), ("centavo", "centavos", "m")),
        "$": (("dólar", "dólares", "m"), ("centavo", "centavos", "m")),
        "€": (("euro", "euros", "m"), ("centavo", "centavos", "m")),
    },
    signs={
        "+": "mais", "=": "é igual a", "×": "vezes", "·": "vezes", "*": "vezes", "÷": "dividido por",
        "/": "dividido por", ":": "dividido por", "<": "é menor que", ">": "é maior que",
        "≤": "é menor ou igual a", "≥": "é maior ou igual a", "≠": "é diferente de", "≈": "é quase igual a",
        "±": "mais ou menos", "√": "raiz quadrada de", "∛": "raiz cúbica de", "&": "e", "@": "arroba", "#": "número",
        "%": "por cento", "→": ",",
    },
    minus="menos", to="a", comma="vírgula", point="ponto",
    by_halves={
        2: "meio", 3: "terço", 4: "quarto", 5: "quinto", 6: "sexto", 7: "sétimo", 8: "oitavo", 9: "nono",
        10: "décimo",
    },
    powers=("ao quadrado", "ao cubo", "elevado a"),
    part_ending=" avo", over="sobre", and_="e", of="de", with_cents="e",
    abbreviations={
        "Sr.": "senhor", "Sra.": "senhora", "Srta.": "senhorita", "Dr.": "doutor", "Dra.": "doutora",
        "Prof.": "professor", "Profa.": "professora", "p. ex.": "por exemplo", "p.ex.": "por exemplo",
        "etc.": "etcétera", "pág.": "página", "págs.": "páginas", "núm.": "número", "nº": "número",
        "n.º": "número", "a. C.": "antes de Cristo", "a.C.": "antes de Cristo", "d. C.": "depois de Cristo",
        "d.C.": "depois de Cristo", "séc.": "século", "cap.": "capítulo", "aprox.": "aproximadamente",
        "máx.": "máximo", "mín.": "mínimo", "Av.": "avenida", "tel.": "telefone",
    },
)  # fmt: skip
_EN = Lexicon(
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
    units={
        "mm": ("millimetre", "millimetres", "m"), "cm": ("centimetre", "centimetres", "m"),
        "m": ("metre", "metres", "m"), "km": ("kilometre", "kilometres", "m"),
        "cm²": ("square centimetre", "square centimetres", "m"), "m²": ("square metre", "square metres", "m"),
        "km²": ("square kilometre", "square kilometres", "m"), "m³": ("cubic metre", "cubic metres", "m"),
        "cm³": ("cubic centimetre", "cubic centimetres", "m"), "ha": ("hectare", "hectares", "m"),
        "km/h": ("kilometre per hour", "kilometres per hour", "m"),
        "mg": ("milligram", "milligrams", "m"), "g": ("gram", "grams", "m"), "kg": ("kilo", "kilos", "m"),
        "t": ("tonne", "tonnes", "m"), "ml": ("millilitre", "millilitres", "m"),
        "l": ("litre", "litres", "m"),
        "s": ("second", "seconds", "m"), "min": ("minute", "minutes", "m"), "h": ("hour", "hours", "m"),
        "°c": ("degree Celsius", "degrees Celsius", "m"), "°": ("degree", "degrees", "m"),
        "%": ("percent", "percent", "m"),
    },
    money={
        "US$": (("dollar", "dollars", "m"), ("cent", "cents", "m")),
        "R$": (("real", "reais", "m"), ("cent", "cents", "m")),
        "$": (("dollar", "dollars", "m"), ("cent", "cents", "m")),
        "€": (("euro", "euros", "m"), ("cent", "cents", "m")),
    },
    signs={
        "+": "plus", "=": "equals", "×": "times", "·": "times", "*": "times", "÷": "divided by",
        "/": "divided by", ":": "divided by", "<": "is less than", ">": "is greater than",
        "≤": "is at most", "≥": "is at least", "≠": "is not equal to", "≈": "is about", "±": "plus or minus",
        "√": "the square root of", "∛": "the cube root of", "&": "and", "@": "at", "#": "number", "%": "percent", "→": ",",
    },
    minus="minus", to="to", comma="comma", point="point",
    by_halves={
        2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth",
        10: "tenth",
    },
    powers=("squared", "cubed", "to the power of"),
    part_ending="", over="over", and_="and", of="", with_cents="and",
    abbreviations={
        "Mr.": "mister", "Mrs.": "missus", "Dr.": "doctor", "Prof.": "professor", "e.g.": "for example",
        "i.e.": "that is", "etc.": "et cetera", "approx.": "approximately",
    },
)  # fmt: skip

LEXICONS: Mapping[str, Lexicon] = {"es": _ES, "pt": _PT, "en": _EN}
