"""The part of XPath in which a form can say what a decision table says; all else is refused.

Pure. `edge.triage.xlsform` writes such XPath, and other editors may: `${sign} = 'yes'`, `selected(...)`, comparisons
with a number, `and`, `or`, `not()`, nested `if()`. Nothing is ever evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from edge.triage.condition import UNKNOWN, AtLeast, Atom, MisreadError, Not
from edge.triage.parts import Input

TOKEN = re.compile(
    r"\s*(?:\$\{(?P<field>[A-Za-z_][\w-]*)\}|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[a-z]+)|(?P<mark><=|>=|!=|[<>=(),+]))"
)
MARKS = ("<=", ">=", "!=", "<", ">", "=")
KNOWN = "_known"
"""Ends the name of the question whether a number could be measured."""

READ = "${name} = 'yes', selected(${name}, 'yes'), ${name} >= 40, and, or, not(), if()"
DEEPEST = 60
Condition = Atom | Not | AtLeast
Token = tuple[str, str]
"""(kind, text)."""


def read_rows(text: str, answered: str) -> list[tuple[str, Condition]]:
    """Read the calculation of the row: `if(${answered} = 1, if(WHEN, 'row', if(...)), '')`, in its order."""
    reader = _Reader(text)
    for kind, token in (("word", "if"), ("mark", "("), ("field", answered), ("mark", "="), ("number", "1")):
        reader.need(kind, token)
    reader.need("mark", ",")
    rows = reader.rows()
    reader.need("mark", ",")
    reader.need("text", "")
    reader.need("mark", ")")
    reader.end()
    return rows


def settled(condition: Condition, inputs: Mapping[str, Input]) -> Condition:
    """Turn what was asked of `NAME_known` into what a table asks of NAME; refuse what a table would read otherwise."""
    if isinstance(condition, Atom):
        return _settled_atom(condition, inputs)
    if isinstance(condition, Not):
        return Not(settled(condition.part, inputs))
    guarded = {one.input for one in condition.parts if isinstance(one, Atom) and one.value == "known"}
    every = condition.count == len(condition.parts)
    compared = {f"{one.input}{KNOWN}" for one in condition.parts if isinstance(one, Atom) and one.op != "is"}
    kept = [
        part for part in condition.parts
        if not (every and isinstance(part, Atom) and part.value == "known" and part.input in compared)
    ]  # fmt: skip
    parts = tuple(
        part
        if every and isinstance(part, Atom) and part.op != "is" and f"{part.input}{KNOWN}" in guarded
        else settled(part, inputs)
        for part in kept
    )
    if every:
        return parts[0] if len(parts) == 1 else AtLeast(len(parts), parts)
    return AtLeast(condition.count, parts)


def as_condition(condition: Condition) -> str:
    """Write a condition in the words of a table."""
    if isinstance(condition, Atom):
        if condition.op != "is":
            return f"{condition.input} {condition.op} {condition.value}"
        if condition.value == "yes":
            return condition.input
        word = "" if condition.value in ("no", UNKNOWN) else "is "
        return f"{condition.input} {word}{condition.value}"
    if isinstance(condition, Not):
        if isinstance(condition.part, Atom) and condition.part.value == UNKNOWN:
            return f"{condition.part.input} known"
        return f"not ({as_condition(condition.part)})"
    parts = [as_condition(part) for part in condition.parts]
    if condition.count in (1, len(parts)):
        return f"({(' or ' if condition.count == 1 else ' and ').join(parts)})"
    return f"at least {condition.count} of ({', '.join(parts)})"


def _settled_atom(atom: Atom, inputs: Mapping[str, Input]) -> Condition:
    if atom.input.endswith(KNOWN) and (name := atom.input.removesuffix(KNOWN)) in inputs:
        unknown = Atom(name, "is", UNKNOWN)
        if atom.op == "is" and atom.value in ("known", UNKNOWN):
            return unknown if atom.value == UNKNOWN else Not(unknown)
    one = inputs.get(atom.input)
    if atom.op == "!=" and one is not None and one.may_be_unknown:
        # An empty field is not equal to a number, but a table says nothing of a number that nobody knows.
        raise MisreadError("xpath-unknown", name=atom.input)
    return atom


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens, self.at, self.depth = _tokens(text), 0, 0

    def rows(self) -> list[tuple[str, Condition]]:
        """Read `if(WHEN, 'row', REST)` down to the last `''`."""
        rows = []
        while self.take("word", "if"):
            self.need("mark", "(")
            when = self.either()
            self.need("mark", ",")
            rows.append((self.text("text"), when))
            self.need("mark", ",")
        self.need("text", "")
        for _ in rows:
            self.need("mark", ")")
        return rows

    def either(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise MisreadError("xpath-deep", most=DEEPEST)
        parts = [self._all()]
        while self.take("word", "or"):
            parts.append(self._all())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else AtLeast(1, tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self.take("word", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AtLeast(len(parts), tuple(parts))

    def _one(self) -> Condition:
        if self.take("word", "not"):
            self.need("mark", "(")
            found: Condition = Not(self.either())
            self.need("mark", ")")
            return found
        if self.take("word", "selected"):
            self.need("mark", "(")
            name = self.text("field")
            self.need("mark", ",")
            found = Atom(name, "is", self.text("text"))
            self.need("mark", ")")
            return found
        if self._peek() == ("mark", "("):
            return self._bracket()
        return self._compared()

    def _bracket(self) -> Condition:
        """Read `(...)`, or `((if(A, 1, 0) + if(B, 1, 0)) >= 2)`, which counts."""
        if self.tokens[self.at + 1 : self.at + 3] == [("mark", "("), ("word", "if")]:
            return self._counted()
        self.need("mark", "(")
        found = self.either()
        self.need("mark", ")")
        return found

    def _counted(self) -> Condition:
        self.at += 2
        parts: list[Condition] = []
        while not parts or self.take("mark", "+"):
            self.need("word", "if")
            self.need("mark", "(")
            parts.append(self.either())
            for kind, token in (("mark", ","), ("number", "1"), ("mark", ","), ("number", "0"), ("mark", ")")):
                self.need(kind, token)
        self.need("mark", ")")
        self.need("mark", ">=")
        count = self.text("number")
        self.need("mark", ")")
        if not count.isdigit() or not 1 <= int(count) <= len(parts):
            raise MisreadError("condition-count", text="", count=count, parts=len(parts))
        return AtLeast(int(count), tuple(parts))

    def _compared(self) -> Condition:
        name = self.text("field")
        mark = next((mark for mark in MARKS if self.take("mark", mark)), "")
        if not mark:
            raise self._unexpected()
        if self._peek()[0] == "text" and mark in ("=", "!="):
            found = Atom(name, "is", self.text("text"))
            return found if mark == "=" else Not(found)
        return Atom(name, mark, Decimal(self.text("number")))

    def text(self, kind: str) -> str:
        """Take a token of a kind, whatever it says."""
        found = self._peek()
        if found[0] != kind:
            raise self._unexpected()
        self.at += 1
        return found[1]

    def take(self, kind: str, token: str) -> bool:
        """Take this very token, if it comes next."""
        found = self._peek() == (kind, token)
        self.at += found
        return found

    def need(self, kind: str, token: str) -> None:
        """Take this very token, or refuse."""
        if not self.take(kind, token):
            raise self._unexpected()

    def end(self) -> None:
        """Refuse what is left over."""
        if self.at < len(self.tokens):
            raise self._unexpected()

    def _peek(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def _unexpected(self) -> MisreadError:
        token = self._peek()[1] or "''" if self.at < len(self.tokens) else ""
        return MisreadError("xpath-odd", token=token[:40], read=READ) if token else MisreadError("xpath-short")


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise MisreadError("xpath-odd", token=text[at:].strip()[:40], read=READ)
        kind = str(found.lastgroup)
        tokens.append(("text" if kind in ("single", "double") else kind, found[kind]))
        at = found.end()
    return tokens
