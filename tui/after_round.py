"""What can be done after a round of practice, and what each choice asks of the app. Pure."""

from __future__ import annotations

from textual.message import Message
from textual.widgets.option_list import Option

from edge.words import Words
from tui import wishes
from tui.drill import LessonSource, Source, SumSource

EXTRA = "extra"
"""One exercise more, written by the model; the screen itself deals with it."""


def steps(words: Words, source: Source, *, extra: bool) -> list[Option]:
    """Return the choices; `extra` where the model may write one exercise more."""
    names = ["more", "read", "other", "home"]
    if isinstance(source, SumSource):
        names.remove("read")
    options = [Option(words.say(f"exercise.{name}"), id=name) for name in names]
    if extra:
        options.insert(1, Option(words.say("extra.offer"), id=EXTRA))
    return options


def wish_for(step: str, source: Source) -> Message:
    """Return what the app is asked for."""
    if step == "more" and isinstance(source, LessonSource):
        return wishes.PractiseChosen(source.lesson.id)
    if step == "more" and isinstance(source, SumSource):
        return wishes.SumsChosen(source.skill)
    if step == "read" and isinstance(source, LessonSource):
        return wishes.LessonChosen(source.lesson.id)
    return wishes.PlaceChosen("practise" if step == "other" else "home")
