"""What a dialogue asks, one thing after another; a screen shows it, and so do plain lines.

A dialogue is a generator: it yields what it asks, is sent the answer, or None where the person goes back, and returns
what came of it. Pure facts; knows nothing of Textual.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from tui.clinic.told import Line
from tui.lines import letters

T = TypeVar("T")

ASIDE = "\0aside"
"""The answer of who takes the other way that a line offers."""

NEW = "new:"
"""Before what was typed, where nothing in the list was meant."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing to choose."""

    id: str
    text: str
    mark: str = ""
    """Stands before it, in a column of its own: an urgency in words, a state; a single letter is the key that chooses it."""

    kind: str = ""
    """What kind of line the mark is; screens colour it."""


@dataclass(frozen=True, slots=True)
class Write:
    """A line to type on."""

    title: str
    lines: tuple[Line, ...] = ()
    hint: str = ""
    value: str = ""
    """What stands there already."""

    secret: bool = False
    blank: bool = False
    """Whether nothing is an answer."""

    aside: str = ""
    """What the other way is called, if there is one."""

    said: str = ""
    """What came of the answer before."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Several things to choose from; without any, only something to read."""

    title: str
    options: tuple[Pick, ...] = ()
    lines: tuple[Line, ...] = ()
    search: str = ""
    """What the line is called that narrows a long list; nothing: there is none."""

    fresh: str = ""
    """How the choice is called that takes what was typed itself; `{name}` stands for it."""

    said: str = ""


Ask = Write | Choose
Steps = Generator[Ask, str | None, T]


def by_key(ask: Ask | None, key: str) -> str:
    """Return the option that a single letter chooses; nothing: none."""
    options = ask.options if isinstance(ask, Choose) and not ask.search else ()
    return next((one.id for one in options if len(one.mark) == 1 and one.mark == letters(key).upper()), "")


MOST_SHOWN = 60
"""Of a long list; typing narrows it."""


def narrowed(ask: Choose, typed: str) -> list[Pick]:
    """Return the options that what was typed leaves, the one that takes it as it is last."""
    wanted = letters(typed).split()
    found = [one for one in ask.options if all(word in letters(f"{one.mark} {one.text}") for word in wanted)]
    fresh = [Pick(f"{NEW}{' '.join(typed.split())}", ask.fresh.format(name=typed.strip()))]
    return found[:MOST_SHOWN] + (fresh if ask.fresh and typed.strip() else [])
