"""Write out what is read aloud: numbers, dates, units, money, fractions, signs, abbreviations.

Pure. Spanish, Portuguese and English have their own words; any other language only loses its
Markdown, and the voice reads its numbers as it can.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from edge.speech.fractions import fraction_words
from edge.speech.lexicon import LEXICONS, Lexicon
from edge.speech.numerals import MOST, Gender, number_words, ordinal_words
from edge.speech.plain import plain

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

_N = (
    r"(?:[1-9][0-9]{0,2}(?:[.  ][0-9]{3})+(?:,[0-9]+)?|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?"
    r"|[0-9]+(?:[.,][0-9]+)?)(?![0-9])"
)
_SMALL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NOT_INSIDE = r"(?<![\w.,/])"
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_ORDINAL_ENDS = {
    "es": r"\.?º|\.?ª|\.?er|ro|ra|do|da|to|ta|mo|ma|vo|va|no|na",
    "pt": r"\.?º|\.?ª|\.?o|\.?a",
    "en": r"st|nd|rd|th",
}
_HALF_OF = {("es", "m"): "medio", ("es", "f"): "media", ("pt", "m"): "meio", ("pt", "f"): "meia"}
_NO_NOUN = """
    de del do da a al o ou y e en em con com por para que es son é são más mais menos sobre entre
    is and or of to in plus minus
"""
_HE = """
    día días dia dias mapa mapas planeta planetas problema problemas idioma idiomas tema temas poema poemas
    sistema sistemas programa programas
"""
_SHE = """
    flor flores vez veces vezes parte partes noche noches noite noites calle calles clase clases classe
    classes mujer mujeres mulher mulheres mano manos mão mãos voz voces raíz raíces nuez nueces luz luces
    luzes red redes ley leyes llave llaves
"""


def speakable(text: str, lang: str) -> str:
    """Return `text` as a voice of `lang` should read it; never any digit in a language we know."""
    bare = plain(text)
    base = lang.casefold().partition("-")[0]
    if base not in LEXICONS:
        return bare.replace("\n", " ")
    bare = _common_digits(bare)
    for pattern, say in _rules(base):
        bare = pattern.sub(say, bare)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(bare.split()))


@cache
def _rules(lang: str) -> tuple[Rule, ...]:
    """Return what to replace, in this order: what is longer comes before its parts."""
    lexicon = LEXICONS[lang]
    months = lexicon.months
    of = f" {lexicon.of} " if lexicon.of else " "

    def date(found: re.Match[str]) -> str:
        day, month, year = int(found["day"]), int(found["month"]), int(found["year"])
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return " ".join(number_words(part, lang) for part in (day, month, year))
        first = ordinal_words(1, lang) if day == 1 else number_words(day, lang)
        return f"{first}{of}{months[month - 1]}{of}{number_words(year, lang)}"

    def clock(found: re.Match[str]) -> str:
        hour, minute = int(found[1]), int(found[2])
        if lang == "en":
            return f"{number_words(hour, lang)} {number_words(minute, lang) if minute else 'o’clock'}"
        said = number_words(hour, lang, "f")
        return f"{said} {lexicon.and_} {number_words(minute, lang)}" if minute else said

    def ordinal(found: re.Match[str]) -> str:
        gender: Gender = "f" if found[2][-1] in "aª" else "m" if found[2].endswith("er") else ""
        return ordinal_words(int(found[1]), lang, gender)

    def century(found: re.Match[str]) -> str:
        number = _roman(found[2])
        return f"{found[1]} {ordinal_words(number, lang) if number <= 10 else number_words(number, lang)}"

    def range_or_minus(found: re.Match[str]) -> str:
        return f" {lexicon.minus if '=' in found.string else lexicon.to} "

    return (
        *_abbreviation_rules(lexicon),
        (
            re.compile(r"(?<![0-9/.-])(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})(?![0-9/])"),
            date,
        ),
        (re.compile(r"(?<![0-9-])(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?![0-9-])"), date),
        (re.compile(r"(?<![0-9:])([01]?[0-9]|2[0-3]):([0-5][0-9])(?![0-9:])"), clock),
        (re.compile(r"\b(siglos?|séculos?)\s+([IVXLC]{1,6})\b"), century),
        *_measure_rules(lexicon, lang),
        (
            re.compile(rf"(?<![\w.,/])([0-9]{{1,2}})(?:{_ORDINAL_ENDS[lang]})(?!\w)".replace("(?:", "(", 1)),
            ordinal,
        ),
        (
            re.compile(r"(?:(?<=^)|(?<=[\s(=+×*÷<>]))[-−](?=[0-9])", re.MULTILINE),
            lambda _: f"{lexicon.minus} ",
        ),
        (re.compile(r"(?<=[0-9])(?:\s+[-−–]\s+|−)(?=[0-9(])"), lambda _: f" {lexicon.minus} "),
        (re.compile(r"(?<=[0-9])[-–](?=[0-9])"), range_or_minus),
        (re.compile(r"(?<=[0-9)])\s*[xX]\s*(?=[0-9(])"), lambda _: f" {lexicon.signs['×']} "),
        (re.compile(r"(?<=[0-9)])([⁰¹²³⁴-⁹]+)(?!\w)"), lambda found: f" {_power(found[1].translate(_SMALL), lexicon)}"),
        *_number_rules(lexicon, lang),
        *_sign_rules(lexicon),
    )


def _power(place: str, lexicon: Lexicon) -> str:
    squared, cubed, power = lexicon.powers
    return {"2": squared, "3": cubed}.get(place, f"{power} {place}")


def _abbreviation_rules(lexicon: Lexicon) -> list[Rule]:
    names = sorted(lexicon.abbreviations, key=len, reverse=True)
    folded = {name.casefold(): said for name, said in lexicon.abbreviations.items()}
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, names))})(?!\w)(\s*$)?", re.IGNORECASE | re.MULTILINE)

    def say(found: re.Match[str]) -> str:
        end = "." if found[2] is not None and found[1].endswith(".") else ""
        return folded[found[1].casefold()] + end

    return [(pattern, say)]


def _measure_rules(lexicon: Lexicon, lang: str) -> list[Rule]:
    """Return the rules for money and for numbers with a unit."""
    signs = "|".join(map(re.escape, sorted(lexicon.money, key=len, reverse=True)))
    units = "|".join(re.escape(unit) for unit in sorted(lexicon.units, key=len, reverse=True))

    def counted(text: str, named: tuple[str, str, str]) -> str:
        gender: Gender = "f" if named[2] == "f" else "m"
        whole = _whole(text)
        words = number_in_words(text, lang, gender)
        round_million = f" {lexicon.of}" if whole and whole % 10**6 == 0 and lexicon.of else ""
        return f"{words}{round_million} {named[0] if whole == 1 else named[1]}"

    def money(found: re.Match[str]) -> str:
        coin, cent = lexicon.money[found[1]]
        amount = found[2]
        cents = re.fullmatch(r"(.*)[.,]([0-9]{2})", amount)
        if cents is None:
            return counted(amount, coin)
        if not int(cents[2]):
            return counted(cents[1], coin)
        return f"{counted(cents[1], coin)} {lexicon.with_cents} {counted(cents[2].lstrip('0'), cent)}"

    def measure(found: re.Match[str]) -> str:
        unit = found[2].replace("º", "°").replace("2", "²").replace("3", "³").replace(" ", "").casefold()
        return counted(found[1], lexicon.units[unit])

    spelled = units.replace("²", "[²2]").replace("³", "[³3]").replace("°c", "[°º]\\s?c").replace("|°|", "|°|")
    return [
        (re.compile(rf"(?<![\w$])({signs})\s?({_N})"), money),
        (re.compile(rf"{_NOT_INSIDE}({_N})\s?({spelled})(?!\w)", re.IGNORECASE), measure),
    ]


def _number_rules(lexicon: Lexicon, lang: str) -> list[Rule]:
    def fraction(found: re.Match[str]) -> str:
        noun = found[4] or ""
        before = f"{number_words(int(found[1]), lang)} {lexicon.and_} " if found[1] else ""
        half = _HALF_OF.get((lang, _gender_before(noun))) if (found[2], found[3]) == ("1", "2") else None
        return f"{before}{half or fraction_words(int(found[2]), int(found[3]), lang)} {noun}"

    def number(found: re.Match[str]) -> str:
        return f" {number_in_words(found[1], lang, _gender_before(found[2] or ''))} {found[2] or ''}"

    top = r"(?:([0-9]{1,3})\s+)?([0-9]{1,3})\s?/\s?([0-9]{1,4})"
    return [
        (re.compile(rf"(?<![0-9/.,]){top}(?![0-9/])(?:\s*([^\W\d_]+))?"), fraction),
        (re.compile(rf"({_N})\s*([^\W\d_]+)?"), number),
    ]


def _sign_rules(lexicon: Lexicon) -> list[Rule]:
    signs = "".join(map(re.escape, (sign for sign in lexicon.signs if sign not in ":/")))
    return [
        (re.compile(r"(?<=\w)\s+([:/])\s+(?=\w)"), lambda found: f" {lexicon.signs[found[1]]} "),
        (re.compile(rf"[{signs}]"), lambda found: f" {lexicon.signs[found[0]]} "),
        (re.compile(r"[{}\\^~_|`]|(?<=\s)[-−–](?=\s)"), lambda _: " "),
    ]


def number_in_words(text: str, lang: str, gender: Gender = "") -> str:
    """Return a number as written (1.500 or 1 500, 2,5 or 2.5) in words."""
    lexicon = LEXICONS[lang]
    whole, mark, part = _parts(text)
    if (len(whole) > 1 and whole.startswith("0")) or int(whole[:20]) > MOST or len(whole) > 15:
        said = " ".join(number_words(int(digit), lang) for digit in whole)
    else:
        said = number_words(int(whole), lang, "" if part else gender)
    if not part:
        return said
    digits = [part] if len(part) <= 2 and not part.startswith("0") else list(part)
    tail = " ".join(number_words(int(digit), lang) for digit in digits)
    return f"{said} {lexicon.comma if mark == ',' else lexicon.point} {tail}"


def _parts(text: str) -> tuple[str, str, str]:
    """Split into whole digits, decimal mark and decimals."""
    grouped = re.fullmatch(r"([1-9][0-9]{0,2}(?:([.,  ])[0-9]{3})(?:\2[0-9]{3})*)(?:([.,])([0-9]+))?", text)
    if grouped:
        return re.sub(r"[^0-9]", "", grouped[1]), grouped[3] or "", grouped[4] or ""
    whole, mark, part = re.fullmatch(r"([0-9]+)(?:([.,])([0-9]+))?", re.sub(r"[  ]", "", text)).groups()  # type: ignore[union-attr]
    return whole, mark or "", part or ""


def _whole(text: str) -> int | None:
    whole, _, part = _parts(text)
    return None if part or len(whole) > 15 else int(whole)


def _gender_before(noun: str) -> Gender:
    """Guess the gender of the counted noun from how it ends: good enough for `21 niños`."""
    word = noun.casefold()
    if word in _HE.split():
        return "m"
    if word in _SHE.split():
        return "f"
    months = LEXICONS["es"].months + LEXICONS["pt"].months
    if len(word) < 3 or word in _NO_NOUN.split() or word in months:
        return ""
    return "f" if word.endswith(("a", "as", "ción", "ciones", "dad", "dades", "ção", "ções", "dade")) else "m"


def _roman(numeral: str) -> int:
    values = [_ROMAN[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def _common_digits(text: str) -> str:
    """Replace ½ and the digits of other scripts by common ones."""
    said = []
    for c in text:
        if unicodedata.decomposition(c).startswith("<fraction>"):
            said.append(" " + unicodedata.normalize("NFKC", c).replace("⁄", "/"))
        else:
            said.append(str(unicodedata.decimal(c)) if c.isdecimal() else c)
    return "".join(said)
