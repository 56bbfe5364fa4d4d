"""The conditions of a decision table: read from text, and tested against answers.

    fast_breathing and (age < 12 or not chest_indrawing)
    at least 2 of (restless, sunken_eyes, skin_pinch is slow)
    temperature unknown

Two-valued on purpose: a sign holds only when its answer is yes, a comparison only when the number
is known; `not sign` therefore means "no or unknown". Whoever means only one of them writes `sign no`
or `sign unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from edge.words import Value

UNKNOWN = "unknown"
Answer = str | Decimal
"""`yes`, `no`, a code, a number, or `unknown`."""

WORDS = frozenset({"and", "or", "not", "unknown", "known", "yes", "no", "is", "at", "least", "of"})
TOKEN = re.compile(r"\s*(?:(?P<name>[a-z][a-z0-9_]*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark><=|>=|!=|[<>=(),]))")
DEEPEST = 40


class MisreadError(ValueError):
    """This text is not a condition; a reader of tables turns it into a complaint."""

    def __init__(self, key: str, **values: Value) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class Atom:
    """One input compared with one value: `is` a word, or `<`, `<=`, `>`, `>=`, `=`, `!=` a number."""

    input: str
    op: str
    value: Answer


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Atom | Not | AtLeast


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least so many of these; `or` is one of them, `and` is all of them."""

    count: int
    parts: tuple[Atom | Not | AtLeast, ...]


def matches(atom: Atom, answer: Answer) -> bool:
    """Tell whether one answer meets an atom."""
    if atom.op == "is":
        return answer == atom.value
    if isinstance(answer, str) or isinstance(atom.value, str):
        return False
    order = (answer > atom.value) - (answer < atom.value)
    return order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "=": (0,), "!=": (-1, 1)}[atom.op]


def holds(condition: Atom | Not | AtLeast, answers: Mapping[str, Answer]) -> bool:
    """Tell whether a condition holds for these answers."""
    if isinstance(condition, Atom):
        return matches(condition, answers[condition.input])
    if isinstance(condition, Not):
        return not holds(condition.part, answers)
    return sum(holds(part, answers) for part in condition.parts) >= condition.count


def atoms(condition: Atom | Not | AtLeast) -> tuple[Atom, ...]:
    """Return every atom of a condition, in the order of its text."""
    if isinstance(condition, Atom):
        return (condition,)
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return tuple(atom for part in parts for atom in atoms(part))


def read_condition(text: str, terms: Mapping[str, Atom | Not | AtLeast]) -> Atom | Not | AtLeast:
    """Read a condition; `terms` are names that stand for a whole condition. Refuse what is not one."""
    return _Reader(text, terms).whole()


class _Reader:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, terms: Mapping[str, Atom | Not | AtLeast]) -> None:
        self.text, self.terms, self.tokens, self.at = text, terms, _tokens(text), 0

    def whole(self) -> Atom | Not | AtLeast:
        found = self._either(0)
        if self.at < len(self.tokens):
            raise self._unexpected()
        return found

    def _either(self, depth: int) -> Atom | Not | AtLeast:
        if depth > DEEPEST:
            raise MisreadError("condition-deep", text=self.text[:60], most=DEEPEST)
        parts = [self._all(depth)]
        while self._take("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AtLeast(1, tuple(parts))

    def _all(self, depth: int) -> Atom | Not | AtLeast:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AtLeast(len(parts), tuple(parts))

    def _one(self, depth: int) -> Atom | Not | AtLeast:
        negated = False
        while self._take("not"):
            negated = not negated
        if self._take("("):
            found = self._either(depth + 1)
            self._need(")")
        elif self._take("at"):
            found = self._at_least(depth)
        else:
            found = self._atom()
        return Not(found) if negated else found

    def _at_least(self, depth: int) -> AtLeast:
        self._need("least")
        count = self._number()
        self._need("of")
        self._need("(")
        parts = [self._either(depth + 1)]
        while self._take(","):
            parts.append(self._either(depth + 1))
        self._need(")")
        if not 1 <= count <= len(parts) or count != int(count):
            raise MisreadError("condition-count", text=self.text[:200], count=str(count), parts=len(parts))
        return AtLeast(int(count), tuple(parts))

    def _atom(self) -> Atom | Not | AtLeast:
        name = self._name()
        if name in self.terms:
            return self.terms[name]
        for word in (UNKNOWN, "yes", "no"):
            if self._take(word):
                return Atom(name, "is", word)
        if self._take("known"):
            return Not(Atom(name, "is", UNKNOWN))
        if self._take("is"):
            return Atom(name, "is", self._name())
        for mark in ("<=", ">=", "!=", "<", ">", "="):
            if self._take(mark):
                return Atom(name, mark, self._number())
        return Atom(name, "is", "yes")

    def _name(self) -> str:
        token = self._peek()
        if not re.fullmatch(r"[a-z][a-z0-9_]*", token) or token in WORDS:
            raise self._unexpected()
        self.at += 1
        return token

    def _number(self) -> Decimal:
        token = self._peek()
        if not re.fullmatch(r"-?\d+(\.\d+)?", token):
            raise self._unexpected()
        self.at += 1
        return Decimal(token)

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, token: str) -> bool:
        found = self._peek() == token
        self.at += found
        return found

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise self._unexpected()

    def _unexpected(self) -> MisreadError:
        if self.at >= len(self.tokens):
            return MisreadError("condition-short", text=self.text[:200])
        return MisreadError("condition-odd", text=self.text[:200], token=self._peek(), place=self.at + 1)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise MisreadError("condition-odd", text=text[:200], token=text[at:].strip()[:10], place=len(tokens) + 1)
        tokens.append(found[0].strip())
        at = found.end()
    return tokens
