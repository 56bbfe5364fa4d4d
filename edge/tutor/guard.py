"""What the tutor hands to a person instead of answering.

The rules are data (guard.toml: words that meet in one message), in every language at once. It errs towards silence: a
child in trouble gets a person's name, not a lesson.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from edge.tutor.scenes import Message, Scene, happens, hear, read_scenes, vocabulary
from edge.tutor.sounds import sound


@dataclass(frozen=True, slots=True)
class Rule:
    """What calls for one fixed text."""

    name: str
    scenes: tuple[Scene, ...]
    together: tuple[str, ...]
    """Told also when the spaces are missing."""

    def fits(self, message: Message) -> bool:
        """Tell whether a message calls for it."""
        return any(told in message.glued for told in self.together) or happens(self.scenes, message)


def refusal(question: str, lang: str = "") -> str:
    """Return the name of the rule that the question meets, or nothing; `lang` does not matter: people mix languages."""
    message = hear(question)
    return next((rule.name for rule in _rules() if rule.fits(message)), "")


@cache
def _rules() -> tuple[Rule, ...]:
    table = vocabulary()
    return tuple(
        Rule(name, read_scenes(table[name]["scenes"]), _glued(table[name].get("together", "")))
        for name in table
        if name not in ("parts", "words")
    )


def _glued(text: str) -> tuple[str, ...]:
    return tuple("".join(sound(word) for word in line.split()) for line in text.splitlines() if line.strip())
