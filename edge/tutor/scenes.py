"""Words that meet in one message, and whether they do.

A scene is written as parts joined by ` & `; what a part may hold stands at the head of guard.toml. Pure but for reading
the words of its parts. A message is compared as it sounds, as typed and with its slips of the finger mended.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edge.tutor.slips import mended
from edge.tutor.sounds import heard, sound


@dataclass(frozen=True, slots=True)
class Message:
    """What was asked, as it sounds."""

    plain: str
    mended: str
    glued: str
    words: frozenset[str]
    """As typed, and with their slips mended."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a scene, told or, where it says so, not told."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    phrases: str
    """A pattern, made ready when a message gets so far."""

    told: bool

    def fits(self, message: Message) -> bool:
        """Tell whether the message tells it, or, where that is asked, does not."""
        found = not self.words.isdisjoint(message.words) or any(w.startswith(self.beginnings) for w in message.words)
        return (found or (self.phrases != "" and _is_in(_ready(self.phrases), message))) is self.told


Scene = tuple[Part, ...]


def hear(text: str) -> Message:
    """Return a message as it sounds."""
    table = vocabulary()["words"]
    words = heard(text)
    meant = [mended(word, table["keys"], table["ordinary"]) for word in words]
    return Message(" ".join(words), " ".join(meant), "".join(words), frozenset((*words, *meant)))


def happens(scenes: tuple[Scene, ...], message: Message) -> bool:
    """Tell whether all parts of one of the scenes are in the message."""
    return any(all(part.fits(message) for part in scene) for scene in scenes)


@cache
def vocabulary() -> dict[str, Any]:
    """Return guard.toml: the words of parts, the key words, and the rules."""
    return tomllib.loads(files("edge.tutor").joinpath("guard.toml").read_text(encoding="utf-8"))


def _is_in(pattern: re.Pattern[str], message: Message) -> bool:
    return bool(pattern.search(message.plain) or pattern.search(message.mended))


@cache
def _parts() -> dict[str, str]:
    """Return the words of each part as one pattern; `_` stands for a space, and a part may name another."""
    return {name: "|".join(text.split()).replace("_", " ") for name, text in vocabulary()["parts"].items()}


def read_scenes(text: str) -> tuple[Scene, ...]:
    """Return the scenes of a text, one a line."""
    return tuple(_scenes(text))


def _scenes(text: str) -> Iterator[Scene]:
    for line in filter(str.strip, text.splitlines()):
        parts = (_part(part.strip()) for part in line.split(" & "))
        yield tuple(sorted(parts, key=lambda part: part.phrases != ""))


@cache
def _part(text: str) -> Part:
    """Return a part: single words are looked up, only the rest is searched for."""
    parts, asked = _parts(), text.removeprefix("!")
    words, beginnings, phrases = set[str](), set[str](), list[str]()
    for choice in _choices(asked):
        if named := re.fullmatch(r"\{([a-z]+)\}", choice):
            part = _part(parts[named[1]])
            words |= part.words
            beginnings.update(part.beginnings)
            phrases += [part.phrases] if part.phrases else []
        elif (spellings := _spellings(choice.removesuffix("*"))) is None:
            phrases.append(_named(choice, parts))
        else:
            (beginnings if choice.endswith("*") else words).update(sound(word) for word in spellings)
    return Part(frozenset(words), tuple(beginnings), "|".join(phrases), asked == text)


def _choices(text: str) -> Iterator[str]:
    """Return what a part leaves the choice between: `({name}|word|two words)`."""
    depth, at = 0, [-1]
    inner = text[1:-1] if re.fullmatch(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", text) else text
    for i, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            at.append(i)
    return (inner[start + 1 : end] for start, end in zip(at, [*at[1:], len(inner)], strict=True))


def _spellings(word: str) -> list[str] | None:
    """Return every word that letters, `[oa]` and `?` stand for; nothing where it takes more than that."""
    found = [""]
    if not re.fullmatch(r"(?:[a-z]\??|\[[a-z]+\]\??)+", word):
        return None
    for letters, perhaps in re.findall(r"([a-z]|\[[a-z]+\])(\??)", word):
        found = [before + letter for before in found for letter in (*letters.strip("[]"), *(("",) if perhaps else ()))]
    return found


def _named(pattern: str, parts: dict[str, str]) -> str:
    """Return a pattern with the words of a part for its {name}."""
    whole = re.sub(r"\{([a-z]+)\}", lambda found: f"(?:{parts[found[1]]})", pattern)
    return whole if whole == pattern else _named(whole, parts)


@cache
def _ready(whole: str) -> re.Pattern[str]:
    """Return a pattern, written in plain letters, as it sounds; `..` stands for a few words."""
    whole = re.sub(
        r"\[[^\]]*\]|(?<!\\)[a-z]+", lambda found: found[0] if found[0][0] == "[" else sound(found[0]), whole
    )
    whole = re.sub(r"(?<!\.)\*", "[a-z]*", whole).replace(" .. ", " (?:[a-z0-9]+ ){0,6}?")
    return re.compile(rf"\b(?:{whole})\b")
