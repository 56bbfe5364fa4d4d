"""Hints and exercises that a model writes in a fixed form, checked by rules before anybody sees them.

The form holds by construction: the model cannot write anything else. What is said in it is checked here, and what fails
is nothing. Whether a model may do this at all, its report card says (`hint`, `exercise`); the caller asks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.library.terms import content_words, fold
from edge.tutor.engine import Message, Shape, ShapingEngine
from edge.tutor.giveaway import reveals
from edge.tutor.reply import Waiting
from edge.tutor.support import supported
from edge.words import words_for

LEAST_WORDS, MOST_WORDS = 3, 16
LEAST_TELLING = 2
"""A hint has so many words that carry meaning, numbers not counted."""

OPTIONS = 4
HINT_TOKENS, EXERCISE_TOKENS = 96, 256

_LETTER = "A-Za-zÁÀÂÃÉÊÍÓÔÕÚÜÑÇáàâãéêíóôõúüñç"

HINT_SHAPE = rf"""
root ::= "{{\"hint\": \"" first (" " word){{{LEAST_WORDS - 1},{MOST_WORDS - 1}}} [.!?] "\"}}"
first ::= [¿¡]? [A-ZÁÀÂÃÉÊÍÓÔÕÚÜÑÇ] [{_LETTER}]{{0,17}} [,:]?
word ::= [¿¡]? [0-9{_LETTER}] [0-9{_LETTER}-]{{0,17}} [,;:%°]?
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
Told = Callable[[Waiting], None]
"""Hears the place in the queue, where others come first."""


def untold(_: Waiting) -> None:
    """Pass over the place in the queue."""


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


def write_hint(
    engine: ShapingEngine, prompt: str, answer: str, passage: str, lang: str, stop: Stop, told: Told = untold
) -> Hint | None:
    """Let a model write a hint for the exercise `prompt`; None when it gives none that passes."""
    asked = words_for("edge", lang).say("shaped.hint", prompt=prompt)
    found = _written(engine, f"{passage}\n{asked}", HINT_SHAPE, HINT_TOKENS, lang, stop, told)
    return hint_of(found, prompt, answer, passage, lang)


def hint_of(found: Any, prompt: str, answer: str, passage: str, lang: str) -> Hint | None:
    """Check what a model wrote: it must stand on the passage and must not hold what only the answer says."""
    if not isinstance(found, dict) or not isinstance(text := found.get("hint"), str):
        return None
    telling = [word for word in content_words(text, lang) if word.isalpha()]
    if not LEAST_WORDS <= len(text.split()) <= MOST_WORDS or len(telling) < LEAST_TELLING:
        return None
    if reveals(text, answer, prompt, lang):
        return None
    return Hint(text) if supported(text, [f"{passage}\n{prompt}"], lang) else None


def write_exercise(engine: ShapingEngine, passage: str, lang: str, stop: Stop, told: Told = untold) -> Exercise | None:
    """Let a model write an exercise about a passage; None when it gives none that passes."""
    asked = words_for("edge", lang).say("shaped.exercise", options=OPTIONS)
    found = _written(engine, f"{passage}\n{asked}", EXERCISE_SHAPE, EXERCISE_TOKENS, lang, stop, told)
    return exercise_of(found, passage, lang)


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
    if (
        not question.endswith("?")
        or not supported(question, [passage], lang)
        or reveals(question, options[right], "", lang)
    ):
        return None
    return Exercise(question, options, right)


def _written(engine: ShapingEngine, asked: str, shape: Shape, most: int, lang: str, stop: Stop, told: Told) -> Any:
    """Return what the model wrote in this shape, or None when it was stopped or did not come to an end."""
    system = words_for("edge", lang).say("models.system")
    messages: Sequence[Message] = [{"role": "system", "content": system}, {"role": "user", "content": asked}]
    text = ""
    for piece in engine.stream(messages, max_tokens=most, stop=stop, shape=shape):
        if isinstance(piece, Waiting):
            told(piece)
        else:
            text += piece
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return None
