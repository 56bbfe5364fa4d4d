"""Read the TOML of a decision table, strictly: what is missing, misspelt or of the wrong kind is named with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from edge.library.fields import TOML_LINE
from edge.library.pack import Complaint, complaint
from edge.triage.errors import TriageError
from edge.triage.parts import Text, Texts
from edge.words import LANGUAGES, Value

HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
SETTING = re.compile(r"\s*([\w.\-\" ]+?)\s*=")
LARGEST, DIGITS, DEEPEST = 10**9, 6, 20


@dataclass(frozen=True, slots=True)
class Place:
    """The file being read: where its parts stand, and what is wrong with it so far."""

    path: Path
    lines: dict[str, int]
    complaints: list[Complaint]

    def complain(self, part: str, key: str, /, **values: Value) -> None:
        """Note what is wrong with a part, at its line or at that of the part that should hold it."""
        at = part
        while at and at not in self.lines:
            at = at.rpartition(".")[0]
        self.complaints.append(complaint(self.path, self.lines.get(at, 1), key, **values))


def read_at_most(path: Path, most: int, unreadable: str) -> bytes | None:
    """Return a file's bytes, None where it has more than `most`; raise TriageError `unreadable` where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise TriageError(unreadable, path=path, reason=error.strerror or "") from error
    return content if len(content) <= most else None


def parse_bytes(path: Path, content: bytes) -> tuple[Place, dict[str, Any] | None]:
    """Parse TOML in UTF-8; None when it is not that, with the complaint in the place."""
    try:
        return parse(path, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Place(path, {}, [complaint(path, line, "not-utf8")]), None


def parse(path: Path, text: str) -> tuple[Place, dict[str, Any] | None]:
    """Parse TOML; None when it is not TOML at all, with the complaint in the place."""
    place = Place(path, lines_of(text), [])
    try:
        table = tomllib.loads(text, parse_float=Decimal)
        if _is_deep(table):
            raise ValueError(f"a.b.c: > {DEEPEST}")
        return place, table
    except (ValueError, RecursionError) as error:  # not TOML, a number of thousands of digits, endless brackets
        found = TOML_LINE.search(str(error))
        place.complaints.append(complaint(path, int(found[1]) if found else 1, "not-toml", reason=str(error)))
        return place, None


def _is_deep(table: object) -> bool:
    """Tell whether tables stand in tables deeper than any format of ours goes; dotted keys can nest without end."""
    level, below = 0, [table]
    while below and level <= DEEPEST:
        level += 1
        inner = [list(one.values()) if isinstance(one, dict) else one for one in below if isinstance(one, dict | list)]
        below = [part for parts in inner for part in parts]
    return bool(below)


def lines_of(text: str) -> dict[str, int]:
    """Return the line of every table and every setting, by dotted name; lists of tables are numbered from 0."""
    lines: dict[str, int] = {}
    prefix = ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            prefix = _plain(header[2])
            if header[1] == "[[":
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = f"{prefix}.{counts[prefix]}"
            lines.setdefault(prefix, number)
        elif setting := SETTING.match(line):
            name = _plain(setting[1])
            lines.setdefault(f"{prefix}.{name}" if prefix else name, number)
            lines.setdefault((f"{prefix}.{name}" if prefix else name).rpartition(".")[0], number)
    return lines


def _plain(name: str) -> str:
    return ".".join(part.strip().strip('"') for part in name.split("."))


@dataclass(frozen=True, slots=True)
class Node:
    """One TOML table of the file, under its dotted name."""

    place: Place
    name: str
    table: dict[str, Any]

    def full(self, name: str) -> str:
        """Return the dotted name of a field."""
        return f"{self.name}.{name}" if self.name else name

    def complain(self, field: str, key: str, /, **values: Value) -> None:
        """Complain about one field; a missing one is always called missing."""
        name = self.full(field)
        if field in self.table:
            self.place.complain(name, key, name=name, **values)
        else:
            self.place.complain(name, "field-missing", name=name)

    def refuse_unknown(self, *known: str) -> None:
        """Complain about every field that is not known."""
        for name in sorted(self.table.keys() - set(known)):
            self.complain(name, "field-unknown", known=", ".join(sorted(known)))

    def text(self, field: str, default: str | None = None) -> str:
        """Return a text that is not blank, unless `default` may stand for it."""
        value = self.table.get(field, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value.strip()
        self.complain(field, "field-text", value=str(value))
        return ""

    def whole(self, field: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.table.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.complain(field, "field-number", value=str(value), least=least, most=most)
        return least

    def number(self, field: str, default: Decimal | None = None) -> Decimal:
        """Return a finite number."""
        value = self.table.get(field, default)
        found = as_number(value)
        if found is None:
            self.complain(field, "field-decimal", value=str(value))
        return found if found is not None else Decimal(0)

    def flag(self, field: str, default: bool) -> bool:
        """Return true or false."""
        value = self.table.get(field, default)
        if not isinstance(value, bool):
            self.complain(field, "field-flag", value=str(value))
        return value is True

    def choice(self, field: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`."""
        value = self.table.get(field)
        if value in choices:
            return str(value)
        self.complain(field, "field-choice", value=str(value), choices=", ".join(choices))
        return choices[0]

    def names(self, field: str, needed: bool = True) -> tuple[str, ...]:
        """Return a list of names; empty only where it is not needed."""
        value = self.table.get(field, [] if not needed else None)
        if isinstance(value, list) and (value or not needed) and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(value)
        self.complain(field, "field-texts", value=str(value))
        return ()

    def every_language(self, field: str, needed: bool = True) -> Text:
        """Return a text in every language."""
        if field not in self.table and not needed:
            return ()
        node = self.child(field)
        node.refuse_unknown(*LANGUAGES)
        return tuple((lang, node.text(lang)) for lang in LANGUAGES)

    def lists(self, field: str) -> Texts:
        """Return a list of texts in every language, equally long in all."""
        node = self.child(field)
        node.refuse_unknown(*LANGUAGES)
        found = tuple((lang, node.names(lang)) for lang in LANGUAGES)
        lengths = ", ".join(f"{lang} {len(texts)}" for lang, texts in found)
        if len({len(texts) for _, texts in found}) > 1:
            self.complain(field, "lists-differ", lengths=lengths)
        return found

    def child(self, field: str) -> Node:
        """Return a table inside this one, empty where there is none."""
        value = self.table.get(field)
        if not isinstance(value, dict):
            self.complain(field, "field-table", value=str(value))
            value = {}
        return Node(self.place, self.full(field), value)

    def children(self, field: str, needed: bool = True) -> Iterator[tuple[str, Node]]:
        """Return each named table inside a table, in the order of the file."""
        if field not in self.table and not needed:
            return
        node = self.child(field)
        if needed and field in self.table and not node.table:
            self.complain(field, "field-empty")
        for name in node.table:
            if re.fullmatch(r"[a-z][a-z0-9_-]*", name) is None:
                node.complain(name, "name-odd")
            yield name, node.child(name)

    def children_plain(self) -> Iterator[tuple[str, Node]]:
        """Return each table inside this one, whatever its name is made of."""
        for name in self.table:
            yield name, self.child(name)


def as_number(value: object) -> Decimal | None:
    """Return a TOML number that somebody can measure as a decimal, or None."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    return found if found.is_finite() and abs(found) < LARGEST and found == round(found, DIGITS) else None
