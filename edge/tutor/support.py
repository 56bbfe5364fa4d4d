"""Is a generated sentence supported by the passages? Pure, strict, and by words alone.

Every number must stand in the passages, and nearly every word that carries meaning. A
negation that the passages do not have is a contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge.library.terms import content_terms, fold

LEAST_SHARE = 0.85
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
NEGATIONS = frozenset(
    [
        "no",
        "nunca",
        "jamas",
        "ningun",
        "ninguna",
        "ninguno",
        "nadie",
        "nada",
        "sin",
        "nao",
        "nem",
        "never",
        "not",
        "nobody",
        "none",
    ]
)


def holder(sentence: str, passages: Sequence[str], lang: str) -> int | None:
    """Return which passage alone holds what the sentence says, the first of several; None when there is none."""
    return next((place for place, passage in enumerate(passages) if _holds(passage, sentence, lang)), None)


def supported(sentence: str, passages: Sequence[str], lang: str) -> bool:
    """Tell whether one passage alone holds what the sentence says."""
    return holder(sentence, passages, lang) is not None


def _holds(passage: str, sentence: str, lang: str) -> bool:
    if not set(NUMBER.findall(sentence)) <= set(NUMBER.findall(passage)):
        return False
    if _negations(sentence) - _negations(passage):
        return False
    theirs = frozenset(form for term in content_terms(passage, lang) for form in term)
    ours = content_terms(sentence, lang)
    return bool(ours) and sum(1 for term in ours if term & theirs) / len(ours) >= LEAST_SHARE


def _negations(text: str) -> set[str]:
    return set(re.findall(r"\w+", fold(text))) & NEGATIONS
