"""Read the TOML fields of a pack or a lesson, strictly.

What is missing, misspelt or of the wrong kind is complained about with its line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.library.pack import Complaint, complaint

TOML_LINE = re.compile(r"at line (\d+)")


@dataclass(slots=True)
class Fields:
    """The TOML of one file, with a complaint for whatever does not fit."""

    path: Path
    source: str
    first_line: int
    """The line of the file on which the TOML begins."""

    complaints: list[Complaint] = field(default_factory=list)
    table: dict[str, Any] = field(default_factory=dict)

    def parse(self) -> bool:
        """Parse the TOML; False when it is not TOML at all."""
        try:
            self.table = tomllib.loads(self.source)
        except tomllib.TOMLDecodeError as error:
            found = TOML_LINE.search(str(error))
            line = self.first_line + (int(found[1]) if found else 1) - 1
            self.complaints.append(complaint(self.path, line, "not-toml", reason=str(error)))
            return False
        return True

    def line_of(self, name: str) -> int:
        """Return the line on which `name` is set, or the first one."""
        for number, text in enumerate(self.source.splitlines(), self.first_line):
            if re.match(rf"\s*{re.escape(name)}\s*=", text):
                return number
        return self.first_line

    def refuse_unknown(self, known: set[str]) -> None:
        """Complain about every field that is not in `known`."""
        for name in self.table.keys() - known:
            self._complain(name, "field-unknown", known=", ".join(sorted(known)))

    def text(self, name: str) -> str:
        """Return a text that is not blank."""
        value = self.table.get(name)
        if not isinstance(value, str) or not value.strip():
            self._complain(name, "field-text", value=str(value))
            return ""
        return value.strip()

    def number(self, name: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.table.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._complain(name, "field-number", value=str(value), least=least, most=most)
            return least
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`."""
        value = self.table.get(name)
        if value not in choices:
            self._complain(name, "field-choice", value=str(value), choices=", ".join(choices))
            return choices[0]
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, none of them blank; the list may not be empty."""
        value = self.table.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v.strip() for v in value):
            self._complain(name, "field-texts", value=str(value))
            return ()
        return tuple(v.strip() for v in value)

    def _complain(self, name: str, key: str, **values: str | int) -> None:
        missing = name not in self.table
        if missing:
            self.complaints.append(complaint(self.path, self.line_of(name), "field-missing", name=name))
        else:
            self.complaints.append(complaint(self.path, self.line_of(name), key, name=name, **values))
