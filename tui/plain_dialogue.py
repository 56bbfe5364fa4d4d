"""A dialogue of the clinic in lines: the same questions as on the screen, by numbers and words."""

from __future__ import annotations

from typing import TypeVar

from edge.errors import EdgeError
from tui.clinic.asks import ASIDE, Choose, Steps, Write, by_key, narrowed
from tui.lines import Lines, same_word
from tui.services import Services

T = TypeVar("T")

EMPTY = "-"
"""Typed alone, it takes away what stands there."""


def lead(services: Services, lines: Lines, steps: Steps[T]) -> T | None:
    """Ask what a dialogue asks until it ends; return what came of it, or None where it failed."""
    answer: str | None = None
    while True:
        try:
            asked = steps.send(answer)
        except StopIteration as end:
            found: T = end.value
            return found
        except EdgeError as error:
            lines.say(error.say(services.lang))
            return None
        lines.say()
        lines.say(asked.title)
        for _, text in asked.lines:
            if text:
                lines.say(text)
        if asked.said:
            lines.say(asked.said)
        answer = _written(services, lines, asked) if isinstance(asked, Write) else _chosen(services, lines, asked)


def _written(services: Services, lines: Lines, asked: Write) -> str | None:
    words = services.words
    if asked.aside:
        lines.say(words.say("dialogue.aside", word=words.say("dialogue.aside_word"), aside=asked.aside))
    if asked.secret:
        given = lines.ask_secret(f"{asked.hint or asked.title}: ")
    elif asked.value:
        lines.say(words.say("dialogue.value", value=asked.value, back=words.say("plain.back_word")))
        given = lines.ask("> ") or asked.value
    else:
        given = lines.ask(f"{asked.hint}: " if asked.hint else "> ")
    if asked.aside and same_word(given, words.say("dialogue.aside_word")):
        return ASIDE
    if same_word(given, words.say("plain.back_word")) or not (given or asked.blank):
        return None
    return "" if given == EMPTY else given


def _chosen(services: Services, lines: Lines, asked: Choose) -> str | None:
    """Let one be chosen by its number; what else is typed narrows a long list."""
    words, typed = services.words, ""
    if not asked.options and not asked.search:
        return None
    while True:
        options = narrowed(asked, typed)
        for number, one in enumerate(options, 1):
            lines.say(f"{number:>3}. {one.mark + '  ' if one.mark else ''}{one.text}")
        given = lines.ask(f"{asked.search} / {words.say('plain.pick')}" if asked.search else words.say("plain.pick"))
        if not given or same_word(given, words.say("plain.back_word")):
            return None
        if given.isdecimal() and 0 < int(given) <= len(options):
            return options[int(given) - 1].id
        if chosen := by_key(asked, given):
            return chosen
        if asked.search:
            typed = given
        else:
            lines.say(words.say("plain.wrong_pick", given=given[:40]))
