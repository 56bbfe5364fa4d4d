"""What the model writes for practice, in lines: its hint and one exercise more. Ctrl+C ends the writing and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

from edge.errors import EdgeError
from edge.learning.grade import mark
from edge.words import words_for
from tui.drill import Drill
from tui.extra import Extras, Stop, Told
from tui.lines import Lines, same_word
from tui.services import Services

if TYPE_CHECKING:
    from edge.tutor.coach import LastHint
    from edge.tutor.reply import Source, Waiting

T = TypeVar("T")

LOOK_S = 0.05
"""So soon Ctrl+C is heard also where waiting for a thread does not hear it (Windows)."""


def model_hint(extras: Extras, drill: Drill, services: Services, lines: Lines) -> LastHint | None:
    """Let the model write a hint, show it with its source, and count it."""
    words, item = services.words, drill.item
    hint = _written("hint", lambda stop, told: extras.hint(item, stop, told), services, lines)
    if hint is not None:
        drill.count_hint()
        lines.say(words.say("extra.hint", hint=hint.text))
        lines.say(f"({words.say('extra.about_hint')})")
        lines.say(_source_line(hint.source, services))
    return hint


def one_more(extras: Extras, drill: Drill, services: Services, lines: Lines) -> Drill | None:
    """Offer one exercise more, written by the model; return its round, or None where there is none."""
    words = services.words
    while extras.has_exercise() and same_word(lines.ask(words.say("extra.offer_plain")), words.say("plain.yes_word")):
        if extra := _written("exercise", extras.exercise, services, lines):
            return drill.with_extra(extra)
    return None


def show_passage(drill: Drill, services: Services, lines: Lines) -> None:
    """Show what an exercise of the model was written from, and that it is the model's."""
    if drill.extra is not None:
        lines.say(services.words.say("extra.place"))
        lines.say(drill.extra.source.passage)
        lines.say(_source_line(drill.extra.source, services))


def asks_for_source(given: str, drill: Drill, services: Services) -> bool:
    """Tell whether the source is wanted; where its name is the right answer, it is an answer."""
    return same_word(given, services.words.say("plain.source_word")) and not mark(drill.item, given).right


def _source_line(source: Source, services: Services) -> str:
    words = services.words
    return f"{words.say('ask.source', title=source.place)} ({words.say('plain.open_source')})"


def _written(what: str, work: Callable[[Stop, Told], T | None], services: Services, lines: Lines) -> T | None:
    """Return what the model wrote; None when nothing passed, it failed or Ctrl+C was pressed, and that was said."""
    words = services.words
    lines.say(f"{words.say(f'extra.writing_{what}')} {words.say('extra.stop_plain')}")
    found: list[T | None] = []
    trouble: list[str] = []
    stopped = Event()

    def told(waiting: Waiting) -> None:
        lines.say(waiting.say(words_for("edge", words.lang)))

    def write() -> None:
        try:
            found.append(work(stopped.is_set, told))
        except EdgeError as error:
            trouble.append(error.say(words.lang))

    thread = Thread(target=write, name="extra", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(LOOK_S)
    except KeyboardInterrupt:
        stopped.set()
        lines.say(words.say("ask.stopped"))
        return None
    if not found or found[0] is None:
        lines.say(trouble[0] if trouble else words.say(f"extra.no_{what}"))
        return None
    return found[0]
