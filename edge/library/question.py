"""What a question asks for: its kind, and its words weighed by how rare they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.library.terms import Term, fold

KINDS = {
    "es": (
        ("why", r"por ?que\b|xq\b|porq\b"),
        ("what-for", r"para que\b"),
        ("when", r"cuando\b|en que (ano|año|fecha|dia|mes|siglo|epoca)\b|que (ano|año|dia|fecha)\b"),
        ("where", r"donde\b|en que (lugar|pais|parte|continente|ciudad)\b|adonde\b"),
        ("who", r"quien(es)?\b"),
        ("how-many", r"cuant[oa]s?\b"),
        ("how", r"como\b|de que (manera|forma)\b"),
        ("which", r"cual(es)?\b"),
        ("what", r"(que|q)\b"),
    ),
    "pt": (
        ("why", r"por ?que\b|pq\b|porq\b"),
        ("what-for", r"para (o )?que\b|pra (o )?que\b"),
        ("when", r"quando\b|em que (ano|data|dia|mes|seculo|epoca)\b"),
        ("where", r"onde\b|em que (lugar|pais|parte|continente|cidade)\b"),
        ("who", r"quem\b"),
        ("how-many", r"quant[oa]s?\b"),
        ("how", r"como\b|de que (maneira|forma|jeito)\b"),
        ("which", r"qua(l|is)\b"),
        ("what", r"(que|q)\b"),
    ),
}
ALIKE = (
    {"what", "which", "how"},
    {"why", "what-for"},
    {"what", "which", "who"},
    {"which", "where"},
    {"how-many", "which"},
)
"""Kinds that pupils use for one another."""


@dataclass(frozen=True, slots=True)
class QuestionWord:
    """A word that carries meaning, as the library knows it."""

    text: str
    term: Term
    weight: float
    """How much it narrows the search; a rare word weighs more."""

    known: bool
    """Whether any lesson holds it, perhaps spelt better."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, ready to be looked for."""

    text: str
    lang: str
    kind: str
    words: tuple[QuestionWord, ...]

    @property
    def forms(self) -> frozenset[str]:
        """Return every form of every known word."""
        return frozenset(form for word in self.words if word.known for form in word.term)


def kind_of(text: str, lang: str) -> str:
    """Return what kind of answer is asked for: who, when, where, why ... or nothing."""
    plain = re.sub(r"[^\w\s]", " ", fold(text))
    found = [
        (at.start(), name) for name, pattern in KINDS.get(lang, ()) if (at := re.search(rf"\b(?:{pattern})", plain))
    ]
    order = [name for name, _ in KINDS.get(lang, ())]
    return min(found, key=lambda f: (f[0], order.index(f[1])))[1] if found else ""


def kinds_agree(one: str, two: str) -> float:
    """Return 1 for the same kind, 0.5 for kinds used for one another or unknown, else 0."""
    if one == two and one:
        return 1.0
    if not one or not two or any({one, two} <= pair for pair in ALIKE):
        return 0.5
    return 0.0
