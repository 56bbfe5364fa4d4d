"""What a language model may add to practice: one hint more, one exercise more, each with the passage it stands on.

Its report card decides whether (`hint`, `exercise`), rules check its words (`shaped`), and a lesson that may only be
quoted gets none. An exercise of the model is no item of a pack: whoever shows it keeps nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from edge.errors import ModelError
from edge.library.index import passages_of
from edge.library.pack import Item, Lesson, Option
from edge.library.terms import content_terms
from edge.tutor.engine import ShapingEngine
from edge.tutor.giveaway import reveals
from edge.tutor.reply import Source, sentences_of
from edge.tutor.shaped import Exercise, Stop, Told, write_exercise, write_hint
from edge.tutor.support import supported
from edge.words import words_for

Capability = Literal["hint", "exercise"]

LEAST_SHARED = 2
"""A passage must have so many words in common with an exercise to be what it stands on."""

LEAST_WORDS, MOST_WORDS = 12, 90
"""Of a passage that a learner reads before she is asked about it."""


@dataclass(frozen=True, slots=True)
class LastHint:
    """A hint in the model's own words, after those of the lesson."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Extra:
    """One exercise more, written by the model about a passage."""

    item: Item
    source: Source


class Coach:
    """Writes for practice with the model of this device."""

    def __init__(
        self,
        may: Callable[[Capability], bool],
        engine: Callable[[], ShapingEngine | None],
        is_strict: Callable[[str, str], bool],
    ) -> None:
        self._may, self._engine, self._is_strict = may, engine, is_strict

    def may(self, capability: Capability, lesson: Lesson) -> bool:
        """Tell whether the model may do this in this lesson."""
        return self._may(capability) and not self._is_strict(lesson.lang, lesson.id)

    def hint(self, lesson: Lesson, item: Item, stop: Stop, told: Told) -> LastHint | None:
        """Write a hint for an exercise of the lesson; None where none passes, or `stop()` says so.

        Raises ModelError when the model fails.
        """
        passage = passage_of(item, lesson)
        if not passage:
            return None
        first, *others = answers_of(item)
        found = write_hint(self._opened(), item.prompt, first, passage, lesson.lang, stop, told)
        if found is None or any(reveals(found.text, other, item.prompt, lesson.lang) for other in others):
            return None
        return LastHint(found.text, _source(lesson, passage))

    def exercise(self, lesson: Lesson, passage: str, stop: Stop, told: Told) -> Extra | None:
        """Write an exercise about a passage of the lesson; None where none passes, or `stop()` says so.

        Raises ModelError when the model fails.
        """
        found = write_exercise(self._opened(), passage, lesson.lang, stop, told)
        return Extra(_item(found, lesson, passage), _source(lesson, passage)) if found else None

    def _opened(self) -> ShapingEngine:
        engine = self._engine()
        if engine is None:
            raise ModelError("engine-away")
        return engine


def answers_of(item: Item) -> tuple[str, ...]:
    """Return every way the right answer is written."""
    return tuple(option.text for option in item.options if option.right) or item.keys


def passage_of(item: Item, lesson: Lesson) -> str:
    """Return the passage of the lesson that an exercise stands on, the first of several; nothing where there is none."""
    about = " ".join((item.prompt, *answers_of(item), item.because))
    best = max(passages_of(lesson.text), key=lambda passage: _shared(passage, about, lesson.lang), default="")
    return best if _shared(best, about, lesson.lang) >= LEAST_SHARED else ""


def passages_to_ask(lesson: Lesson) -> list[str]:
    """Return the passages of a lesson that are long enough to ask about and short enough to be read before."""
    return [passage for passage in passages_of(lesson.text) if LEAST_WORDS <= len(passage.split()) <= MOST_WORDS]


def _item(found: Exercise, lesson: Lesson, passage: str) -> Item:
    """Return the exercise as the marking takes it; why its answer is right, the lesson says itself."""
    holding = [each for each in sentences_of(passage) if supported(found.options[found.right], [each], lesson.lang)]
    said = max(holding, key=lambda each: _shared(each, found.question, lesson.lang), default=passage)
    because = words_for("edge", lesson.lang).say("shaped.because", said=said)
    options = tuple(Option(text, number == found.right) for number, text in enumerate(found.options))
    return Item(f"{lesson.id}/extra", "choice", found.question, options, (), (), because)


def _shared(text: str, about: str, lang: str) -> int:
    """Return how many different words that carry meaning two texts have in common."""
    theirs = frozenset(form for term in content_terms(text, lang) for form in term)
    return len({term for term in content_terms(about, lang) if term & theirs})


def _source(lesson: Lesson, passage: str) -> Source:
    return Source(lesson.pack, lesson.id, lesson.title, passage)
