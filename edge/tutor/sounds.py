"""Write a question as it sounds, so that `kiero`, `quiero` and `QUIEROOO` are one word.

Pure, and idempotent: what was folded folds to itself. The rules of the guard are folded the same way.
"""

from __future__ import annotations

import re

from edge.library.terms import fold

SHORT = {"q": "que", "k": "que", "qe": "que", "ke": "que", "d": "de", "xq": "porque", "pq": "porque", "x": "por",
         "m": "me", "vc": "voce", "vcs": "voces", "tb": "tambem", "p": "para", "pra": "para", "pro": "para", "pros": "para",
         "n": "nao", "ta": "esta", "to": "estou", "tou": "estou", "tao": "estao", "mto": "muito", "naum": "nao", "num": "nao", "nun": "nao", "qdo": "cuando", "qto": "quanto", "qtos": "quantos",
         "qtas": "quantas", "qro": "quero", "qria": "queria", "ngm": "ninguem", "oce": "voce", "ce": "voce", "pa": "para",
         "tava": "estava", "hj": "hoje"}  # fmt: skip
"""What is typed short, and what it stands for."""

_DIGITS = str.maketrans("013457@$", "oieastas")
_HIDDEN = re.compile(r"(?<=[a-z])[013457@$]+(?=[a-z])")
_SPELT = re.compile(r"(?<!\w)\w(?:[\s.\-_*]+\w){3,}(?!\w)")
_STEPS = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (r"ch|sh", "x"), (r"h", ""), (r"ll|y", "i"), (r"qu(?=[ei])|q", "k"), (r"c(?=[ei])|z", "s"), (r"c", "k"),
        (r"[vw]", "b"), (r"g(?=[ei])", "j"), (r"n(?=[bp])", "m"), (r"([a-z])\1+", r"\1"),
    )
)  # fmt: skip


def sound(word: str) -> str:
    """Return one word of small letters as it sounds."""
    for pattern, into in _STEPS:
        word = pattern.sub(into, word)
    return word


def heard(text: str) -> list[str]:
    """Return the words of a text as they sound; letters typed apart are one word, digits within a word are letters."""
    plain = _HIDDEN.sub(lambda found: found[0].translate(_DIGITS), fold(text).replace("ñ", "n"))
    plain = _SPELT.sub(lambda found: re.sub(r"\W|_", "", found[0]), plain)
    words = (re.sub(r"(.)\1{2,}", r"\1", word) for word in re.findall(r"[a-z]+|\d+", plain))
    return [sound(SHORT.get(word, word)) for word in words]
