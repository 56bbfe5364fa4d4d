"""Check a grammar (GBNF, llama.cpp's own notation) before llama.cpp sees it.

Pure. What is accepted has an end: no rule leads back to itself, and written out in full it stays small. Otherwise a
short grammar could keep llama.cpp busy for ever, or end the whole program.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from edge.errors import ModelError

ROOT = "root"
MOST_CHARACTERS, MOST_DEPTH, MOST_PLACES = 16_384, 256, 8_000
"""Of the text, of brackets within brackets, and of the grammar written out in full."""

SIGN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<define>[A-Za-z0-9-]+\s*::=)
    |(?P<name>[A-Za-z0-9-]+)
    |(?P<text>"(?:[^"\\\n]|\\.)*")
    |(?P<set>\[(?:[^\]\\\n]|\\.)+\]|\.)
    |(?P<repeat>[*+?]|\{\d{1,4}(?:,\d{0,4})?\})
    |(?P<bracket>[()])
    |(?P<other>\|)""",
    re.VERBOSE,
)

Sizes = Counter[str]
"""How large a piece is: places of its own under "", and how often each rule stands in it."""


def refuse_unfit(grammar: str) -> None:
    """Raise ModelError unless llama.cpp can follow this grammar to an end."""
    if len(grammar) > MOST_CHARACTERS:
        raise ModelError("grammar-large", size=len(grammar), most=MOST_CHARACTERS)
    rules = _rules(grammar)
    unknown = {name for sizes in rules.values() for name in sizes} - {"", *rules}
    if unknown or ROOT not in rules:
        raise ModelError("grammar-wrong", near=min(unknown, default=ROOT))
    try:
        order = list(TopologicalSorter({name: set(sizes) - {""} for name, sizes in rules.items()}).static_order())
    except CycleError as error:
        raise ModelError("grammar-endless", rule=str(error.args[1][0])) from error
    whole: dict[str, int] = {}
    for name in order:
        size = sum(times * whole.get(each, 1) for each, times in rules[name].items())
        if size > MOST_PLACES:
            raise ModelError("grammar-large", size=size, most=MOST_PLACES)
        whole[name] = size


def _rules(grammar: str) -> dict[str, Sizes]:
    rules: dict[str, Sizes] = {}
    open_: list[Sizes] = []
    last: Sizes = Counter()
    for kind, sign in _signs(grammar):
        if kind == "repeat":
            last = Counter({name: times * _most(sign) for name, times in last.items()})
            continue
        if not open_ and kind != "define":
            raise ModelError("grammar-wrong", near=sign)
        if kind == "define":
            if len(open_) > 1:
                raise ModelError("grammar-wrong", near=sign)
            if open_:
                open_.pop().update(last)
            rules[sign.rstrip(":= \t\r\n")] = rule = Counter({"": 1})
            open_.append(rule)
            last = Counter()
            continue
        open_[-1].update(last)
        last = Counter()
        if sign == "(":
            open_.append(Counter({"": 1}))
        elif sign == ")":
            if len(open_) < 2:
                raise ModelError("grammar-wrong", near=sign)
            last = open_.pop()
        elif kind == "name":
            last = Counter({sign: 1, "": 1})
        elif kind in ("text", "set"):
            last = Counter({"": len(sign) if kind == "text" else max(1, len(sign) // 16)})
        if len(open_) > MOST_DEPTH:
            raise ModelError("grammar-large", size=len(open_), most=MOST_DEPTH)
    if len(open_) != 1:
        raise ModelError("grammar-wrong", near=grammar[-20:])
    open_.pop().update(last)
    return rules


def _signs(grammar: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(grammar):
        found = SIGN.match(grammar, at)
        if found is None or found.lastgroup is None:
            raise ModelError("grammar-wrong", near=grammar[at : at + 20])
        at = found.end()
        if found.lastgroup != "space":
            yield found.lastgroup, found[0]


def _most(repeat: str) -> int:
    """Return how often a repetition writes its piece down."""
    if numbers := re.findall(r"\d+", repeat):
        return max(1, int(numbers[-1]) + repeat.endswith(",}"))
    return 2 if repeat == "+" else 1
