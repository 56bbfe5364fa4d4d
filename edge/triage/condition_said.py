"""A condition of a table in the reader's words: the questions as they are asked, and what must be answered to them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.triage.answers import question
from edge.triage.condition import UNKNOWN, AtLeast, Atom, Not, atoms
from edge.triage.parts import Table, in_language
from edge.triage.say import answer_in_words
from edge.words import Words

Condition = Atom | Not | AtLeast
MARKS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "=", "!=": "≠"}


MOST_ATOMS = 10
"""Of a condition that a person still reads; a longer one is explained by the answers that were enough."""


def condition_lines(table: Table, condition: Condition, words: Words) -> Iterator[str]:
    """Say a condition: how many must hold, then each on a line of its own; of a long one, that it is long."""
    if len(atoms(condition)) > MOST_ATOMS:
        yield words.say("clinic.condition-long", count=len(atoms(condition)))
    elif isinstance(condition, AtLeast):
        yield _how_many(condition, words)
        for part in condition.parts:
            yield words.say("clinic.condition", text=condition_in_words(table, part, words))
    else:
        yield condition_in_words(table, condition, words)


def condition_in_words(table: Table, condition: Condition, words: Words) -> str:
    """Say a condition in one line; what belongs together stands in brackets."""
    if isinstance(condition, Atom):
        return _atom(table, condition, words)
    if isinstance(condition, Not):
        part = condition.part
        if isinstance(part, Atom) and part.value == UNKNOWN:
            return words.say("clinic.condition-known", ask=_ask(table, part, words))
        if isinstance(part, Atom) and part.value == "yes":
            return words.say("clinic.condition-absent", ask=_ask(table, part, words))
        return words.say("clinic.condition-not", text=condition_in_words(table, part, words))
    said = [condition_in_words(table, part, words) for part in condition.parts]
    if condition.count == 1:
        return f"({words.say('clinic.condition-or').join(said)})"
    if condition.count == len(said):
        return f"({words.say('clinic.condition-and').join(said)})"
    return f"({_how_many(condition, words)} {'; '.join(said)})"


def _how_many(condition: AtLeast, words: Words) -> str:
    if condition.count == len(condition.parts):
        return words.say("clinic.condition-all")
    return words.say("clinic.condition-some", count=condition.count)


def _ask(table: Table, atom: Atom, words: Words) -> str:
    return in_language(question(table, atom.input).ask, words.lang)


def _atom(table: Table, atom: Atom, words: Words) -> str:
    said = answer_in_words(question(table, atom.input), atom.value, words)
    mark = f"{MARKS[atom.op]} " if atom.op in MARKS else ""
    return f"{_ask(table, atom, words)} {mark}{said}"
