"""What rules answered, and which lesson explains it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.words import Value, words_for


@dataclass(frozen=True, slots=True)
class Reckoned:
    """An exact answer with its working."""

    text: str
    about: str
    """Words to look for a lesson with."""

    in_title: bool = True
    """A lesson is only named when its title says them; otherwise its text may."""


def told(lang: str, key: str, about: str, **values: Value) -> Reckoned:
    """Return the sentence `reckon.KEY` with its values."""
    return Reckoned(words_for("edge", lang).say(f"reckon.{key}", **values), word(lang, f"about.{about}"))


def word(lang: str, key: str) -> str:
    """Return one word of `reckon`."""
    return words_for("edge", lang).say(f"reckon.{key}")
