"""What the tutor hands to a person instead of answering.

The rules are data (guard.toml); this module only matches them, as they sound and with a slip of the finger in the words
that matter, in every language at once. It errs towards silence: a child in trouble gets a person's name, not a lesson.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations

from edge.tutor.sounds import heard, sound

LONG = 9
"""A word of so many letters may have two slips, a shorter one a single one."""

SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that call for one fixed text."""

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    together: tuple[str, ...]
    """Told also when the spaces are missing."""


def refusal(question: str, lang: str = "") -> str:
    """Return the name of the rule that the question meets, or nothing; `lang` does not matter: people mix languages."""
    words = heard(question)
    plain = " ".join(words)
    mended = " ".join(_mended(word) for word in words)
    glued = "".join(words)
    for rule in _rules():
        if rule.unless is not None and rule.unless.search(plain):
            continue
        if rule.pattern.search(plain) or rule.pattern.search(mended) or any(told in glued for told in rule.together):
            return rule.name
    return ""


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("edge.tutor").joinpath("guard.toml").read_text(encoding="utf-8"))


@cache
def _rules() -> tuple[Rule, ...]:
    table = _table()
    parts = {name: "|".join(text.split()) for name, text in table["parts"].items()}
    return tuple(_rule(name, table[name], parts) for name in table if name not in ("parts", "words"))


def _rule(name: str, said: dict[str, str], parts: dict[str, str]) -> Rule:
    lines = [line.strip() for lang in ("es", "pt", "en") for line in said.get(lang, "").splitlines() if line.strip()]
    unless = [line.strip() for line in said.get("unless", "").splitlines() if line.strip()]
    together = tuple("".join(sound(word) for word in line.split()) for line in said.get("together", "").splitlines())
    return Rule(
        name, _compiled(lines, parts), _compiled(unless, parts) if unless else None, tuple(filter(None, together))
    )


def _compiled(lines: list[str], parts: dict[str, str]) -> re.Pattern[str]:
    """Join patterns, written in plain letters, as they sound; {name} stands for the words of a part, `..` for a few words."""
    whole = "|".join(f"(?:{line})" for line in lines)
    whole = re.sub(r"\{([a-z]+)\}", lambda found: f"(?:{parts[found[1]]})", whole)
    whole = re.sub(r"[a-z]+", lambda found: sound(found[0]), whole)
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
