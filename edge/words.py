"""Every word a person reads, in Spanish, Portuguese and English.

Each front end (`edge`, `tui`, `devkit`) has a folder `strings/LANG/` with one TOML file
a topic; together they are one table. Keys are dotted paths; values are `str.format` templates. A missing key is our
mistake, never the user's: a test compares the three files, so it raises KeyError here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

Value = str | int | float | Path

LANGUAGES = ("es", "pt", "en")
"""The languages of the interface; the first is the default."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one front end in one language."""

    lang: str
    table: dict[str, str]

    def say(self, key: str, **values: Value) -> str:
        """Return the text named `key` with `values` filled in."""
        return self.table[key].format(**values)

    def has(self, key: str) -> bool:
        """Tell whether `key` exists."""
        return key in self.table


@cache
def words_for(front_end: str, lang: str) -> Words:
    """Return the words of `front_end`; a language we do not speak gets the default one."""
    spoken = lang if lang in LANGUAGES else LANGUAGES[0]
    table: dict[str, str] = {}
    for topic in files(front_end).joinpath("strings", spoken).iterdir():
        if topic.name.endswith(".toml"):
            table |= _flatten(tomllib.loads(topic.read_text(encoding="utf-8")))
    return Words(spoken, table)


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        flat |= _flatten(value, f"{key}.") if isinstance(value, dict) else {key: str(value)}
    return flat
