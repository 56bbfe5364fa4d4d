"""Turn text into search terms: no accents, no small words, only the stem.

A pupil writes `evaporacion`, the lesson `evaporación`: stemmers need the accent, so each
word gives up to two terms, the stem as written and the stem without accents. Two words
match when they share a term. ñ stays ñ: `año` is not `ano`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import pairwise

from edge.lean import bare
from edge.library.stopwords import STOPWORDS

WORD = re.compile(r"[^\W_]+|[×÷+=%<>]")
SIGNS = {"×": "signopor", "÷": "signoentre", "+": "signomas", "=": "signoigual", "%": "signoporciento",
         "<": "signomenor", ">": "signomayor"}  # fmt: skip
"""Signs that pupils ask about; an index holds letters only."""
_ENYE = "\ue000"
LONGEST_WORD = 40
_PT_PLURAL = re.compile(r"(õ|ã)es$")
"""`frações`, `pães`: the stemmer keeps these apart from `fração`, `pão`."""

FORMS = "/"
"""Stands between the forms of one word in the index."""

ARTICLES = frozenset(["la", "las", "una", "unas"])
THINGS = {"es": frozenset(["llama", "llamas"])}
"""Small words that are things after an article: *¿cómo se llama?*, but *¿qué come la llama?*"""

Term = frozenset[str]
"""The one or two forms of a word; two words match when these meet."""


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return small letters without accents; ñ and ç keep their mark's meaning (ñ, c)."""
    marked = unicodedata.normalize("NFC", text.lower()).replace("ñ", _ENYE)
    plain = "".join(c for c in unicodedata.normalize("NFD", marked) if not unicodedata.combining(c))
    return plain.replace(_ENYE, "ñ")


@cache
def _stemmer(lang: str) -> Callable[[str], str]:
    # The package itself imports thirty languages.
    with bare("snowballstemmer"):
        if lang == "pt":
            from snowballstemmer.portuguese_stemmer import PortugueseStemmer as Stemmer
        elif lang == "en":
            from snowballstemmer.english_stemmer import EnglishStemmer as Stemmer
        else:
            from snowballstemmer.spanish_stemmer import SpanishStemmer as Stemmer
    stem: Callable[[str], str] = Stemmer().stemWord
    return stem


@lru_cache(maxsize=50_000)
def term_of(word: str, lang: str) -> Term:
    """Return the forms of one word; each begins with its language, so that two languages share an index."""
    stem = _stemmer(lang)
    lower = unicodedata.normalize("NFC", word.lower())[:LONGEST_WORD]
    if lang == "pt":
        lower = _PT_PLURAL.sub("ão", lower)
    return frozenset(lang + _tidy(form) for form in (fold(stem(lower)), stem(fold(lower))))


def _tidy(stem: str) -> str:
    """`raíces` ends as raic and `raíz` as raiz: one form for both."""
    return f"{stem[:-1]}z" if len(stem) > 3 and stem.endswith("c") else stem


def is_stopword(word: str, lang: str) -> bool:
    """Tell whether a word says nothing about what is looked for."""
    return fold(word) in STOPWORDS.get(lang, STOPWORDS["es"]) or (len(word) == 1 and not word.isdigit())


def content_words(text: str, lang: str) -> list[str]:
    """Return the words that carry meaning, in order, as written."""
    words = [SIGNS.get(word, word) for word in WORD.findall(text)]
    things = THINGS.get(lang, frozenset())
    return [
        word
        for before, word in pairwise(["", *words])
        if not is_stopword(word, lang) or (fold(word) in things and fold(before) in ARTICLES)
    ]


def content_terms(text: str, lang: str) -> list[Term]:
    """Return the terms of the words that carry meaning, in order."""
    return [term_of(word, lang) for word in content_words(text, lang)]


def written(terms: Iterable[Term]) -> str:
    """Return terms as the index keeps them: words apart by a space, forms of a word by FORMS."""
    return " ".join(FORMS.join(sorted(term)) for term in terms)


def read_terms(text: str) -> list[Term]:
    """Return the terms that `written` kept."""
    return [frozenset(word.split(FORMS)) for word in text.split()]
