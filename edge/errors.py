"""Everything that can go wrong in a way its user can mend.

An error carries a key and the values that explain it. The sentence and the hint
belong to the strings of the front end that raises it (`edge`, unless a subclass says
otherwise), so that a teacher reads them in her language; `str(error)` gives the
English one, for logs and tests.
"""

from __future__ import annotations

from edge.words import Value, words_for


class EdgeError(Exception):
    """What happened, with the value, and what to do next."""

    front_end = "edge"
    """Whose strings hold the sentence."""

    def __init__(self, key: str, **values: Value) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def say(self, lang: str) -> str:
        """Return the sentence and its hint in `lang`, on two lines."""
        words = words_for(self.front_end, lang)
        return f"{words.say(f'errors.{self.key}.what', **self.values)}\n{words.say(f'errors.{self.key}.do', **self.values)}"

    def __str__(self) -> str:
        return self.say("en")


class PackError(EdgeError):
    """A content pack cannot be used."""


class ModelError(EdgeError):
    """A model file cannot be used, or may not be used here."""


class StoreError(EdgeError):
    """What learners did could not be read or kept."""


class SpeechError(EdgeError):
    """Text could not be turned into sound."""
