"""A model's answer, sentence by sentence and only as far as the passages support it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edge.errors import ModelError
from edge.tutor.engine import Engine
from edge.tutor.prompt import Turn, about_lesson, fits, grounded
from edge.tutor.reply import Waiting, sentences_of
from edge.tutor.support import holder

MOST_TOKENS = 160
MOST_SENTENCES = 4
TOO_LONG = "model-question-long"


@dataclass(frozen=True, slots=True)
class Asking:
    """What a model is to answer, and from what."""

    question: str
    passages: Sequence[str]
    """What its sentences are checked against."""

    lang: str
    lesson: str = ""
    """The text of the lesson that is talked about, if one is."""

    before: Sequence[Turn] = ()
    """What was asked about that lesson before."""


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence that a passage supports."""

    text: str
    passage: int
    """Which one."""


def generate(engine: Engine, asking: Asking, stop: Callable[[], bool]) -> Iterator[Waiting | Written]:
    """Yield the supported sentences of the model's answer; end at the first that is not."""
    pending, shown = "", 0
    for piece in _pieces(engine, asking, stop):
        if isinstance(piece, Waiting):
            yield piece
            continue
        pending += piece
        *whole, pending = sentences_of(f"{pending}\0") or [pending]
        pending = pending.removesuffix("\0")
        for sentence in whole:
            place = holder(sentence, asking.passages, asking.lang)
            if shown == MOST_SENTENCES or place is None:
                return
            yield Written(sentence, place)
            shown += 1
    place = holder(pending, asking.passages, asking.lang)
    if pending.strip() and shown < MOST_SENTENCES and place is not None and not stop():
        yield Written(pending.strip(), place)


def _pieces(engine: Engine, asking: Asking, stop: Callable[[], bool]) -> Iterator[str | Waiting]:
    """Let the model read the lesson whole, where there is one and it fits, else the passages."""
    if asking.lesson and fits(asking.question, asking.lesson, engine.context_tokens, MOST_TOKENS):
        messages = about_lesson(asking.question, asking.lesson, asking.before, asking.lang)
        try:
            yield from engine.stream(messages, max_tokens=MOST_TOKENS, stop=stop)
        except ModelError as error:
            if error.key != TOO_LONG:
                raise
        else:
            return
    messages = grounded(asking.question, asking.passages, asking.lang)
    yield from engine.stream(messages, max_tokens=MOST_TOKENS, stop=stop)
