"""Read the fields of a site file strictly: every problem at once, each with its line and value.

TOML's own parser forgets lines, so they are looked for in the text; a line that cannot be found is the
line of its table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.library.pack import Complaint
from edge.words import Value, Words

_TABLE = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at one line of a site file."""

    path: Path
    line: int
    key: str
    """Of the sentence, under `problems` in the strings."""

    values: tuple[tuple[str, Value], ...] = ()
    cause: EdgeError | Complaint | None = None
    """What other code said about the value, or about a line of the file that it names."""

    def say(self, words: Words) -> str:
        """Return `file:line: what is wrong and what to do`."""
        reason = " ".join(self.cause.say(words.lang).splitlines()) if self.cause else ""
        sentence = words.say(f"problems.{self.key}", reason=reason, **dict(self.values))
        return f"{self.path}:{self.line}: {sentence}".rstrip()


def lines_of(source: str) -> Mapping[tuple[str, int, str], int]:
    """Return the line of every field, by table, how many tables of that name came before, and name."""
    found: dict[tuple[str, int, str], int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, text in enumerate(source.splitlines(), 1):
        if match := _TABLE.match(text):
            table = match[2]
            counts[table] = counts.get(table, -1) + 1 if match[1] == "[[" else 0
            found.setdefault((table, counts[table], ""), number)
        elif match := _KEY.match(text):
            found.setdefault((table, counts.get(table, 0), match[1]), number)
    return found


@dataclass(slots=True)
class Section:
    """One table of a site file; what does not fit in it becomes a problem."""

    path: Path
    table: Mapping[str, Any]
    lines: Mapping[tuple[str, int, str], int]
    name: str = ""
    index: int = 0
    """Which of the tables of that name it is."""

    problems: list[Problem] = field(default_factory=list)
    """Shared by all tables of one file."""

    def below(self, name: str, table: Mapping[str, Any], index: int = 0) -> Section:
        """Return a table of this file."""
        return Section(self.path, table, self.lines, name, index, self.problems)

    def line(self, name: str = "") -> int:
        """Return where a field is, or its table."""
        places = ((self.name, self.index, name), (self.name, self.index, ""), ("", 0, self.name))
        return next((self.lines[place] for place in places if place in self.lines), 1)

    def complain(self, name: str, key: str, cause: EdgeError | Complaint | None = None, **values: Value) -> None:
        """Note what is wrong with a field."""
        shown = repr(self.table.get(name, ""))[:LONGEST_VALUE]
        whole = {"name": name, "value": shown, **values}
        self.problems.append(Problem(self.path, self.line(name), key, tuple(whole.items()), cause))

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Complain about every field that is not in `known`."""
        for name in self.table:
            if name not in known:
                self.complain(name, "unknown", known=", ".join(known))

    def text(self, name: str, default: str | None = "") -> str:
        """Return one line of text; without a default it must be there."""
        value = self.table.get(name, default)
        if isinstance(value, str) and value.isprintable() and (value.strip() or (default == "" and value == "")):
            return value.strip()
        self.complain(name, "missing" if name not in self.table else "text")
        return ""

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of `choices`."""
        value = self.table.get(name, default)
        if value in choices and isinstance(value, str):
            return value
        self.complain(name, "choice", choices=", ".join(choices))
        return default

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """Return a whole number."""
        value = self.table.get(name, default)
        if type(value) is int and least <= value <= most:
            return value
        self.complain(name, "number", least=least, most=most)
        return default

    def texts(self, name: str, choices: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a list of texts, none twice, each of `choices` if those are given."""
        value = self.table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() and v.isprintable() for v in value):
            self.complain(name, "texts")
            return ()
        if choices is not None and any(v not in choices for v in value):
            self.complain(name, "choice", choices=", ".join(choices))
            return ()
        if len(set(value)) != len(value):
            self.complain(name, "twice")
        return tuple(dict.fromkeys(value))

    def texts_or_auto(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, or None when the kit shall choose."""
        return None if self.table.get(name, "auto") == "auto" else self.texts(name)

    def place(self, name: str) -> Path | None:
        """Return a file named relative to the site file; it must be there."""
        given = self.text(name)
        return self._file(name, given) if given else None

    def places(self, name: str) -> tuple[Path, ...]:
        """Return a list of files named relative to the site file; each must be there."""
        return tuple(path for given in self.texts(name) if (path := self._file(name, given)))

    def _file(self, name: str, given: str) -> Path | None:
        path = self.path.parent / given
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            self.complain(name, "no-file", path=path)
            return None
        return path
