"""The facts of a decision table.

Pure facts. Reading the file belongs to `table`, proving it to `check`, using it to `run`.
The format is described in docs/clinic-tables.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from edge.triage.condition import UNKNOWN, Answer, AtLeast, Atom, Not

Urgency = Literal["emergency", "urgent", "soon", "home"]
URGENCIES: tuple[Urgency, ...] = ("emergency", "urgent", "soon", "home")
"""From the highest to the lowest; the order of the sections of a table."""

Kind = Literal["sign", "number", "choice", "age"]
KINDS: tuple[Kind, ...] = ("sign", "number", "choice", "age")
AGE_UNITS = ("days", "months", "years")

Text = tuple[tuple[str, str], ...]
"""One text in every language, as (language, text)."""

Texts = tuple[tuple[str, tuple[str, ...]], ...]
"""A list of texts in every language."""


OVERLAY, SHOWN = "overlay", "shown"
"""Under these names a text has an overlay's words, and what is shown with one: its words, or the original with a mark."""


def in_language(text: Text, lang: str) -> str:
    """Return a text as an overlay shows it, else in `lang`, or in the first language where it has none."""
    found = dict(text)
    return found.get(SHOWN) or found.get(lang, text[0][1] if text else "")


def lines_in(texts: Texts, lang: str) -> tuple[str, ...]:
    """Return a list of texts as an overlay shows it, else in `lang`, or in the first language."""
    found = dict(texts)
    return found.get(SHOWN) or found.get(lang, texts[0][1] if texts else ())


def own_words(text: Text) -> Text:
    """Return a text in the table's own languages alone."""
    return tuple((lang, said) for lang, said in text if lang not in (OVERLAY, SHOWN))


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose words in another language a table is shown in."""

    id: str
    version: str
    lang: str
    """The code of the language, as qu or qaa."""

    name: str
    """What the language calls itself."""

    author: str
    licence: str
    reviewed_by: str
    """Who read it and found it right, or nothing."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """A public guideline that rows quote."""

    id: str
    name: str
    edition: str
    year: int
    publisher: str
    licence: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where in a guideline something stands."""

    guideline: str
    chart: str
    page: str
    """As printed; empty where it could not be verified."""


@dataclass(frozen=True, slots=True)
class Input:
    """One question of a table."""

    id: str
    kind: Kind
    danger: str
    """`yes` for a danger sign; `high` or `low` for a number that is graver that way; `listed` for a choice whose
    codes go from mild to grave; or nothing."""

    may_be_unknown: bool
    ask: Text
    help: Text
    unit: str = ""
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    step: Decimal = Decimal(1)
    codes: tuple[str, ...] = ()
    labels: tuple[Text, ...] = ()
    """What a person reads for each code."""

    def values(self) -> tuple[str, ...]:
        """Return the words this input may be answered with, `unknown` last; numbers have none but that."""
        words = ("yes", "no") if self.kind == "sign" else self.codes
        return (*words, UNKNOWN) if self.may_be_unknown else words

    def allows(self, answer: Answer) -> bool:
        """Tell whether an answer is one of this input's words, or a number in range and on the step."""
        if isinstance(answer, str):
            return answer in self.values()
        measured = self.kind in ("number", "age")
        return measured and self.least <= answer <= self.most and (answer - self.least) % self.step == 0


@dataclass(frozen=True, slots=True)
class Row:
    """When this holds, that is the outcome."""

    id: str
    urgency: Urgency
    when: Atom | Not | AtLeast
    when_text: str
    outcome: str
    source: Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the guideline calls it and what to do."""

    id: str
    title: Text
    do: Texts
    doses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """One row of a dose table: from `least` up to but not including `below`, for each measure that it gives."""

    ranges: tuple[tuple[str, Decimal, Decimal], ...]
    """(input, least, below)."""

    amount: Text
    """Word for word as in the source."""


@dataclass(frozen=True, slots=True)
class Dose:
    """A medicine and how much of it by weight or age; looked up, never computed."""

    id: str
    title: Text
    by: tuple[str, ...]
    """The inputs to look up by; the first that is known decides."""

    bands: tuple[Band, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Approval:
    """Which health authority allowed a table to be used, and when; before that a table is pending."""

    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Table:
    """One question a guideline asks, with everything that may come out of it."""

    id: str
    version: str
    """A date and a number, as 2026-11-26.1."""

    title: Text
    who: Text
    approval: Approval | None
    guidelines: tuple[Guideline, ...]
    inputs: tuple[Input, ...]
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]
    doses: tuple[Dose, ...]
    sha256: str
    """Of the bytes of the file."""

    path: Path
    lines: tuple[tuple[str, int], ...]
    """On which line of the file each part stands, as ("rows.pneumonia", 57)."""

    overlay: Shown | None = None
    """Whose words its texts have besides their own; see `overlay`."""

    @property
    def age(self) -> Input | None:
        """The question for the age, if this table asks it: its range says for whom the table is."""
        return next((one for one in self.inputs if one.kind == "age"), None)

    def line_of(self, *names: str) -> int:
        """Return the line on which a part stands, or the first."""
        return dict(self.lines).get(".".join(names), 1)
