"""What can go wrong with the records of a clinic."""

from __future__ import annotations

from edge.errors import EdgeError
from edge.words import words_for

CODES = ("state", "wanted")
"""Values that are codes; a person reads their word."""


class RecordsError(EdgeError):
    """The records could not be opened, read or added to."""

    def say(self, lang: str) -> str:
        """Return the sentence and its hint in `lang`, on two lines."""
        words = words_for(self.front_end, lang)
        said = {name: words.say(f"records.state-{self.values[name]}") for name in CODES if name in self.values}
        return EdgeError(self.key, **{**self.values, **said}).say(lang)


class LockedError(RecordsError):
    """The records are locked; somebody has to give the passphrase again."""
