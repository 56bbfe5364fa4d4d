"""What people say to a tutor that is no question: thanks, greetings, *no entiendo*. It gets a plain word, not a search.

Rules, for whole messages only: a question with a greeting before it is a question.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from edge.library.terms import fold
from edge.tutor.topics import SIGNS

LOST = "lost"
"""The kind of *no entiendo*."""

LONGEST = 60
"""In letters; more is a message about something."""


def talk_of(message: str, lang: str) -> str:
    """Return what kind of talk a whole message is, or nothing."""
    if len(message) > LONGEST:
        return ""
    said = [word for word in (fold(word).strip(SIGNS) for word in message.split()) if word]
    known, called = _talk(lang)
    for words in (said, [word for word in said if word not in called]):
        if kind := known.get(" ".join(words)):
            return kind
    return ""


@cache
def _talk(lang: str) -> tuple[dict[str, str], frozenset[str]]:
    """Return the kind of each message that is known in a language, and the names a tutor is called by."""
    table = tomllib.loads(files("edge.tutor").joinpath("talk.toml").read_text(encoding="utf-8"))
    spoken = table.get(lang, {})
    called = frozenset(spoken.get("called", ()))
    return {said: kind for kind, messages in spoken.items() if kind != "called" for said in messages}, called
