"""Hints and exercises that a model writes in a fixed form, checked by rules before anybody sees them.

The form holds by construction: the model cannot write anything else. What is said in it is checked here, and what fails
is nothing. Whether a model may do this at all, its report card says (`hint`, `exercise`); the caller asks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.library.terms import content_terms, fold
from edge.tutor.engine import Message, Shape, ShapingEngine
from edge.tutor.support import NUMBER, supported
from edge.words import words_for

LEAST_WORDS, MOST_WORDS = 3, 16
OPTIONS = 4
HINT_TOKENS, EXERCISE_TOKENS = 96, 256

HINT_SHAPE = rf"""
root ::= "{{\"hint\": \"" word (" " word){{{LEAST_WORDS - 1},{MOST_WORDS - 1}}} [.!?] "\"}}"
word ::= [0-9A-Za-zÁÀÂÃÉÊÍÓÔÕÚÜÑÇáàâãéêíóôõúüñç¿¡,;:%°-]{{1,18}}
"""
"""One sentence of so many words."""

EXERCISE_SHAPE = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "minLength": 10, "maxLength": 110},
        "options": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 40},
            "minItems": OPTIONS,
            "maxItems": OPTIONS,
        },
        "right": {"enum": list(range(OPTIONS))},
    },
    "required": ["question", "options", "right"],
}

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Hint:
    """One sentence that helps with an exercise and does not give its answer away."""

    text: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question about a passage, with options of which one is right."""

    question: str
    options: tuple[str, ...]
    right: int
    """Which option, from 0."""


def write_hint(engine: ShapingEngine, prompt: str, answer: str, passage: str, lang: str, stop: Stop) -> Hint | None:
    """Let a model write a hint for the exercise `prompt`; None when it gives none that passes."""
    asked = words_for("edge", lang).say("shaped.hint", prompt=prompt)
    found = _written(engine, f"{passage}\n{asked}", HINT_SHAPE, HINT_TOKENS, lang, stop)
    return hint_of(found, prompt, answer, passage, lang)


def hint_of(found: Any, prompt: str, answer: str, passage: str, lang: str) -> Hint | None:
    """Check what a model wrote: it must stand on the passage and must not hold what only the answer says."""
    if not isinstance(found, dict) or not isinstance(text := found.get("hint"), str):
        return None
    if not LEAST_WORDS <= len(text.split()) <= MOST_WORDS or reveals(text, answer, prompt, lang):
        return None
    return Hint(text) if supported(text, [f"{passage}\n{prompt}"], lang) else None


def write_exercise(engine: ShapingEngine, passage: str, lang: str, stop: Stop) -> Exercise | None:
    """Let a model write an exercise about a passage; None when it gives none that passes."""
    asked = words_for("edge", lang).say("shaped.exercise", options=OPTIONS)
    return exercise_of(
        _written(engine, f"{passage}\n{asked}", EXERCISE_SHAPE, EXERCISE_TOKENS, lang, stop), passage, lang
    )


def exercise_of(found: Any, passage: str, lang: str) -> Exercise | None:
    """Check what a model wrote: the right option stands in the passage, no other does, and the question does not tell it."""
    try:
        question, right = str(found["question"]).strip(), int(found["right"])
        options = tuple(str(option).strip() for option in found["options"])
    except (KeyError, TypeError, ValueError):
        return None
    if (
        len(options) != OPTIONS
        or not 0 <= right < OPTIONS
        or len({" ".join(fold(o).split()) for o in options}) < OPTIONS
    ):
        return None
    if [place for place, option in enumerate(options) if supported(option, [passage], lang)] != [right]:
        return None
    if not supported(question, [passage], lang) or reveals(question, options[right], "", lang):
        return None
    return Exercise(question, options, right)


def reveals(text: str, answer: str, known: str, lang: str) -> bool:
    """Tell whether a text holds a word or number of the answer that is not known already."""
    open_terms = [term for term in content_terms(answer, lang) if not _among(term, known, lang)]
    numbers = set(NUMBER.findall(answer)) - set(NUMBER.findall(known))
    return bool(numbers & set(NUMBER.findall(text))) or any(_among(term, text, lang) for term in open_terms)


def _among(term: frozenset[str], text: str, lang: str) -> bool:
    return any(term & other for other in content_terms(text, lang))


def _written(engine: ShapingEngine, asked: str, shape: Shape, most: int, lang: str, stop: Stop) -> Any:
    """Return what the model wrote in this shape, or None when it was stopped or did not come to an end."""
    system = words_for("edge", lang).say("models.system")
    messages: Sequence[Message] = [{"role": "system", "content": system}, {"role": "user", "content": asked}]
    pieces = engine.stream(messages, max_tokens=most, stop=stop, shape=shape)
    try:
        return json.loads("".join(piece for piece in pieces if isinstance(piece, str)), strict=False)
    except ValueError:
        return None
