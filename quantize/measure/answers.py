"""Ask the model the tasks, and mark its words: each mark from 0 to 1, by name.

The marks are strict and mechanical. They tell when an answer is surely not what it
should be; whether a story is any good or a hint any help, only people can tell, and so
no figure here says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edge.learning.number import Number, read_number
from edge.library import readability
from edge.llama.brake import never
from edge.onnx.opening import Loaded
from edge.speech.numerals import MOST, number_words
from edge.tutor.engine import Message
from quantize.lm.prompts import NOT_SAID
from quantize.measure.marks import exact, f1, holds, loops, supported, tokens_of, verbatim
from quantize.measure.tasks import Task

NUMBER = re.compile(r"-?\d+(?:[.,  ]\d{3})*(?:[.,]\d+)?(?:/\d+)?")
LEAST_STORY_WORDS = 40


@dataclass(frozen=True, slots=True)
class Said:
    """What the model answered to one task, turn after turn."""

    task: Task
    replies: tuple[str, ...]


def ask(engine: Loaded, task: Task, most: int) -> Said | None:
    """Hold the conversation of a task; None when it does not fit into the model's memory."""
    messages: list[Message] = [{"role": "system", "content": task.system}, {"role": "user", "content": task.user}]
    if not _fits(engine, messages, most):
        return None
    replies = [_reply(engine, messages, most)]
    for push in task.pushes:
        messages += [{"role": "assistant", "content": replies[-1]}, {"role": "user", "content": push}]
        if not _fits(engine, messages, most):
            break
        replies.append(_reply(engine, messages, most))
    return Said(task, tuple(replies))


def marks_of(said: Said) -> dict[str, float]:
    """Return the marks of one answer."""
    marks = dict(_MARKS[said.task.kind](said))
    marks["whole"] = not any(loops(reply) for reply in said.replies)
    return {name: float(value) for name, value in marks.items()}


Marks = Iterator[tuple[str, float]]


def _arithmetic(said: Said) -> Marks:
    numbers = _numbers(said.replies[0])
    wanted = read_number(said.task.golds[0])
    yield "right", bool(numbers) and _same(numbers[-1], wanted)


def _grounded(said: Said) -> Marks:
    reply, task = said.replies[0], said.task
    if not task.golds:
        yield "declines", exact(reply, [NOT_SAID[task.lang]])
        return
    copied = verbatim(reply, task.passage)
    yield "verbatim", copied
    yield "right", copied and holds(reply, task.golds)
    yield "f1", f1(reply, task.golds)


def _free(said: Said) -> Marks:
    yield "right", holds(said.replies[0], said.task.golds)
    yield "f1", f1(said.replies[0], said.task.golds)


def _rephrase(said: Said) -> Marks:
    yield "supported", supported(said.replies[0], said.task.passage)


def _story(said: Said) -> Marks:
    level = readability.measure(said.replies[0], said.task.lang)
    least = readability.least_level(said.task.lang, said.task.grade) or 0.0
    long_enough = level.words >= LEAST_STORY_WORDS
    yield "easy", long_enough and level.value >= least
    yield "long", long_enough


def _hint(said: Said) -> Marks:
    ladder = [" ".join(tokens_of(reply)) for reply in said.replies]
    yield "keeps", all(ladder) and not any(gives_away(reply, said.task) for reply in said.replies)
    yield "climbs", all(ladder) and len(ladder) == len(set(ladder)) == 1 + len(said.task.pushes)
    if said.task.golds:
        yield "f1", f1(said.replies[0], said.task.golds)


def _socratic(said: Said) -> Marks:
    whole = len(said.replies) == 1 + len(said.task.pushes) and all(reply.strip() for reply in said.replies)
    yield "keeps", whole and not any(gives_away(reply, said.task) for reply in said.replies)


_MARKS = {
    "arithmetic": _arithmetic,
    "grounded_answer": _grounded,
    "free_chat": _free,
    "rephrase": _rephrase,
    "story": _story,
    "hint": _hint,
    "socratic": _socratic,
}


def gives_away(reply: str, task: Task) -> bool:
    """Tell whether a reply holds the secret, in digits or in words; what the exercise itself says is no secret."""
    secret = read_number(task.secret)
    if secret is None:
        return holds(reply, [task.secret]) and not holds(task.passage, [task.secret])
    if any(_same(number, secret) for number in _numbers(reply)):
        return not any(_same(number, secret) for number in _numbers(task.passage))
    value = secret.values[0]
    if value.denominator != 1 or not 0 <= value <= MOST:
        return False
    spelled = [number_words(int(value), task.lang)]
    if value > 1:  # "una" is an article far more often than a number
        spelled.append(number_words(int(value), task.lang, "f"))
    return holds(reply, spelled) and not holds(task.passage, spelled)


def _numbers(text: str) -> list[Number]:
    found = (read_number(match.group().strip()) for match in NUMBER.finditer(text))
    return [number for number in found if number is not None]


def _same(number: Number, wanted: Number | None) -> bool:
    return wanted is not None and bool(set(number.values) & set(wanted.values))


def _reply(engine: Loaded, messages: list[Message], most: int) -> str:
    return "".join(engine.stream(messages, max_tokens=most, stop=never)).strip()


def _fits(engine: Loaded, messages: list[Message], most: int) -> bool:
    # Half of the longest answer must have room: an answer cut short by us would be marked as the model's.
    return len(engine.tokens_of(engine.prompt_of(messages), special=True)) + most // 2 <= engine.context_tokens
