"""What can be seen about words without any model: their stem, whether they matter, what a question asks for.

Pure and fast: the reader's training and the device use these very functions, so
that the model sees on a school laptop exactly what it saw when it learned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[^\W_]+|[^\w\s]")
KEPT = "ñÑ"
"""Letters that keep their mark when accents are taken away: `año` is not `ano`."""

SMALL_WORDS = """
    a al ante bajo con contra de del desde durante e el ella ellas ellos en entre era eran es esa
    ese eso esta estan estas este esto estos fue fueron ha han hacia hasta hay la las le les lo los
    mas me mi muy no nos o para pero por porque que se ser si sin sobre son su sus tambien te tiene
    tienen tu un una unas uno unos y ya cual cuales cuando cuanta cuantas cuanto cuantos como donde
    quien quienes dime puede pueden ao aos as com da das do dos em ele ela eles elas essa esse foi
    foram isso isto mais na nas nao nem num numa os ou pela pelas pelo pelos pra qual quais quando
    quanta quantas quanto quantos onde quem sao sem seu seus sua suas tem um uma umas uns voce eu
"""
STOP_WORDS = frozenset(SMALL_WORDS.split())
"""Words too common to tell what a question is about, without their accents."""

LONG_ENDINGS = """
    amientos imientos amiento imiento aciones adores adoras amente acion ancia encia adora ieron
    iendo arian erian irian abamos mente acoes acao ador aron ando aban ados adas idos idas aria
    eria iria ales ores oras amos emos imos arse erse irse
"""
SHORT_ENDINGS = """
    ado ada ido ida aba ian oso osa ias ios oes aes ais ram ar er ir an en io ia ie as es os am em
    ou eu iu ao a e o s
"""
ENDINGS = tuple((ending, 4) for ending in LONG_ENDINGS.split()) + tuple((e, 3) for e in SHORT_ENDINGS.split())
"""Endings of Spanish and Portuguese words, the longest first, and how many letters must stay before each."""

SENTENCE_END = re.compile(r"(?<=[.!?…])[\"»”')\]]*\s+(?=[^\s])|\n+")
SHORTENED = "sr sra srta dr dra ej p pag ee uu av vs no num prof ing st mr mrs ca"
ABBREVIATIONS = frozenset(SHORTENED.split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word or sign of a text, and where it stands there."""

    start: int
    end: int
    folded: str
    stem: str
    """Empty when the word says nothing about the topic."""

    capital: bool


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Return `text` in small letters without accents; ñ stays."""
    if text.isascii():
        return text.lower()
    plain = []
    for letter in text:
        base = letter if letter in KEPT else unicodedata.normalize("NFD", letter)[0]
        plain.append(base.lower())
    return "".join(plain)


@lru_cache(maxsize=65536)
def stem(folded: str) -> str:
    """Return what different forms of a word share; empty for signs and stop words."""
    if folded in STOP_WORDS or not (folded[0].isalnum()):
        return ""
    if folded[0].isdigit() or len(folded) < 4:
        return folded
    for ending, least in ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= least:
            root = folded[: -len(ending)]
            break
    else:
        root = folded
    return re.sub(r"(gu|qu|c|z)$", lambda found: {"gu": "g", "qu": "c", "z": "c"}.get(found[0], "c"), root)


def words_of(text: str) -> list[Word]:
    """Return the words and signs of `text`, in order."""
    found = []
    for match in WORD.finditer(text):
        folded = fold(match[0])
        found.append(Word(match.start(), match.end(), folded, stem(folded), match[0][0].isupper()))
    return found


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where each sentence of `text` begins and ends; nothing but white space lies between them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in SENTENCE_END.finditer(text):
        if "\n" not in match[0] and _is_abbreviation(text[start : match.start()]):
            continue
        end = match.start() + len(match[0].rstrip())
        _add_trimmed(spans, text, start, end)
        start = match.end()
    _add_trimmed(spans, text, start, len(text))
    return spans


def _is_abbreviation(before: str) -> bool:
    last = before.rstrip(".").rsplit(None, 1)[-1:]
    return before.endswith(".") and bool(last) and (fold(last[0].lstrip('(«"')) in ABBREVIATIONS)


def _add_trimmed(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = left + len(piece.strip())
    if any(letter.isalnum() for letter in text[left:right]):
        spans.append((left, right))


NUMBER_NAMES = """
    cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce veinte treinta cien mil
    millones zero dois duas quatro sete oito nove dez doze vinte trinta cem milhoes mitad metade
    doble dobro
"""
NUMBER_WORDS = frozenset(NUMBER_NAMES.split())
HOW_MANY = frozenset(["cuanto", "cuantos", "cuanta", "cuantas", "quanto", "quantos", "quanta", "quantas"])
ASKS_NUMBER = HOW_MANY | {"porcentaje", "porcentagem", "numero", "cantidad"}
ASKS_TIME = frozenset(["cuando", "quando", "año", "años", "siglo", "seculo", "fecha", "data", "decada", "mes", "dia"])
ASKS_NAME = frozenset(
    [
        "quien",
        "quienes",
        "quem",
        "donde",
        "onde",
        "pais",
        "ciudad",
        "cidade",
        "llama",
        "llamaba",
        "chama",
        "nombre",
        "nome",
    ]
)
POINTS = HOW_MANY | {"que", "cual", "cuales", "qual", "quais"}


def asked_for(question: Sequence[Word]) -> str:
    """Return what kind of words would answer: "number", "time", "name" or "" when anything may."""
    folded = {word.folded for word in question}
    if folded & ASKS_NUMBER:
        return "number"
    if folded & ASKS_TIME:
        return "time"
    return "name" if folded & ASKS_NAME else ""


def focus_of(question: Sequence[Word]) -> str:
    """Return the stem of what is asked for, the first telling word after *qué*, *cuál*, *cuántos*; may be empty."""
    for number, word in enumerate(question):
        if word.folded in POINTS:
            return next((after.stem for after in question[number + 1 : number + 4] if after.stem), "")
    return ""


def could_answer(word: Word, first: bool, asked: str) -> bool:
    """Tell whether `word` is of the kind that was asked for; `first` when it opens its sentence."""
    if asked in ("number", "time"):
        return word.folded[0].isdigit() or (asked == "number" and word.folded in NUMBER_WORDS)
    return asked == "name" and word.capital and not first
