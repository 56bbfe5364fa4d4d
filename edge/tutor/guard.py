"""What the tutor hands to a person instead of answering.

The rules are data (guard.toml: words that meet in one message); this module only matches them, as they sound and with a
slip of the finger in the words that matter, in every language at once. It errs towards silence: a child in trouble gets
a person's name, not a lesson.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations

from edge.tutor.sounds import heard, sound

LONG = 9
"""A word of so many letters may have two slips, a shorter one a single one."""

SHORTEST = 6


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


@dataclass(frozen=True, slots=True)
class Rule:
    """What calls for one fixed text."""

    name: str
    scenes: tuple[tuple[Part, ...], ...]
    together: tuple[str, ...]
    """Told also when the spaces are missing."""

    def fits(self, message: Message) -> bool:
        """Tell whether a message calls for it: as typed, with its slips mended, or without its spaces."""
        if any(told in message.glued for told in self.together):
            return True
        return any(all(part.fits(message) for part in scene) for scene in self.scenes)


def refusal(question: str, lang: str = "") -> str:
    """Return the name of the rule that the question meets, or nothing; `lang` does not matter: people mix languages."""
    words = heard(question)
    mended = [_mended(word) for word in words]
    message = Message(" ".join(words), " ".join(mended), "".join(words), frozenset((*words, *mended)))
    return next((rule.name for rule in _rules() if rule.fits(message)), "")


def _is_in(pattern: re.Pattern[str], message: Message) -> bool:
    return bool(pattern.search(message.plain) or pattern.search(message.mended))


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("edge.tutor").joinpath("guard.toml").read_text(encoding="utf-8"))


@cache
def _rules() -> tuple[Rule, ...]:
    table = _table()
    return tuple(
        Rule(name, tuple(_scenes(table[name]["scenes"])), tuple(_glued(table[name].get("together", ""))))
        for name in table
        if name not in ("parts", "words")
    )


@cache
def _parts() -> dict[str, str]:
    """Return the words of each part as one pattern; `_` stands for a space, and a part may name another."""
    return {name: "|".join(text.split()).replace("_", " ") for name, text in _table()["parts"].items()}


def _glued(text: str) -> Iterator[str]:
    return ("".join(sound(word) for word in line.split()) for line in text.splitlines() if line.strip())


def _scenes(text: str) -> Iterator[tuple[Part, ...]]:
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


@cache
def _key_words() -> dict[str, tuple[str, ...]]:
    """Return the key words under every form that they have with letters left out."""
    found: dict[str, list[str]] = {}
    for word in (sound(word) for word in _table()["words"]["keys"].split()):
        for form in _forms(word):
            found.setdefault(form, []).append(word)
    return {form: tuple(words) for form, words in found.items()}


@cache
def _ordinary() -> frozenset[str]:
    return frozenset(sound(word) for word in _table()["words"]["ordinary"].split())


def _forms(word: str) -> set[str]:
    slips = 2 if len(word) >= LONG else 1
    return {
        "".join(letter for at, letter in enumerate(word) if at not in out)
        for count in range(slips + 1)
        for out in combinations(range(len(word)), count)
    }


@lru_cache(maxsize=10_000)
def _mended(word: str) -> str:
    """Return the key word that was meant, or the word itself."""
    if not SHORTEST - 1 <= len(word) <= 20 or word in _ordinary():
        return word
    near = {key for form in _forms(word) for key in _key_words().get(form, ())}
    close = [key for key in near if len(key) >= SHORTEST and _apart(word, key) <= (2 if len(key) >= LONG else 1)]
    return min(close, key=lambda key: (_apart(word, key), key), default=word)


def _apart(one: str, other: str) -> int:
    """Count the letters to change, add, leave out or swap with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row, older = row, [i], before
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        before = last
    return row[-1]
