"""What can go wrong with a decision table or an answer to it."""

from __future__ import annotations

from edge.errors import EdgeError
from edge.triage.parts import Text, in_language
from edge.words import Value


class TriageError(EdgeError):
    """A decision table cannot be used, or an answer cannot be taken.

    A value may be a text of the table, which is said in the reader's language.
    """

    def __init__(self, key: str, **values: Value | Text) -> None:
        super().__init__(key, **{name: value for name, value in values.items() if not isinstance(value, tuple)})
        self.texts = {name: value for name, value in values.items() if isinstance(value, tuple)}

    def say(self, lang: str) -> str:
        """Return the sentence and its hint in `lang`, on two lines."""
        said = EdgeError(
            self.key, **self.values, **{name: in_language(text, lang) for name, text in self.texts.items()}
        )
        return said.say(lang)
