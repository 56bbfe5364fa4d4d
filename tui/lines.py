"""Lines in and lines out: all a dumb terminal, a pipe or a screen reader needs.

No escape codes ever leave here. The end of the input is an `EOFError`, as with `input`.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from edge.words import Words
from tui.visible import visible


class Lines:
    """A person, or a program, that reads and writes lines."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._source = source
        self._target = target

    def say(self, text: str = "", end: str = "\n") -> None:
        """Write text without anything that would control the terminal."""
        self._target.write("\n".join(visible(line) for line in text.split("\n")) + end)
        self._target.flush()

    def ask(self, prompt: str) -> str:
        """Return the next line, stripped; raise EOFError when there is none."""
        self.say(prompt, end="")
        line = self._source.readline()
        if not line:
            self.say()
            raise EOFError
        return line.strip()

    def ask_secret(self, prompt: str) -> str:
        """Return the next line; on a terminal it is not seen while it is typed."""
        if not (self._source is sys.stdin and self._source.isatty()):
            return self.ask(prompt)
        from getpass import getpass

        return getpass(prompt).strip()

    def pick(self, options: Sequence[str], words: Words, prompt: str = "plain.pick") -> int | None:
        """Let one of the options be chosen by its number; None to go back."""
        for number, option in enumerate(options, 1):
            self.say(f"{number:>3}. {option}")
        while given := self.ask(words.say(prompt)):
            if given.isdecimal() and 0 < int(given) <= len(options):
                return int(given) - 1
            self.say(words.say("plain.wrong_pick", given=given[:40]))
        return None


def same_word(given: str, word: str) -> bool:
    """Compare two words, blind to capitals and accents."""
    return letters(given) == letters(word)


def letters(text: str) -> str:
    """Return the letters of a text, without capitals and accents."""
    parts = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))
