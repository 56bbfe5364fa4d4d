"""A learner, as the devices of one school know her.

Pure: no name leaves this module changed except for blanks and control characters,
and the random part of an id comes from the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from edge.errors import StoreError

NAME_CHARACTERS = 60
"""Longer than any name on a school list, shorter than a pasted page."""

ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""No i, l, o, u: an id may be read aloud."""


@dataclass(frozen=True, slots=True)
class Learner:
    """Someone who practises here. The id is random, so that two of the same name stay apart."""

    id: str
    name: str
    lang: str


def new_id(random: Random) -> str:
    """Return an id no other device will draw; pass `secrets.SystemRandom()`."""
    return "".join(random.choice(ID_LETTERS) for _ in range(16))


def clean_name(name: str) -> str:
    """Return `name` fit to show on one line; raise StoreError when nothing or too much is left."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not clean:
        raise StoreError("learner-nameless")
    if len(clean) > NAME_CHARACTERS:
        raise StoreError("learner-name-long", name=f"{clean[:30]}…", characters=len(clean), most=NAME_CHARACTERS)
    return clean
