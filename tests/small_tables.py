"""Decision tables small enough to try every combination of answers, as text and as plain functions.

The functions are a second encoding that shares nothing with the reader of conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from edge.triage.condition import Answer
from edge.triage.parts import URGENCIES, Input, Table
from edge.triage.table import read

Case = dict[str, Answer]
Told = tuple[str, Callable[[Case], bool]]
LANGS = ("es", "pt", "en")


def said(name: str, text: str) -> str:
    return "".join(f'{name}.{lang} = "{text} ({lang})"\n' for lang in LANGS)


HEAD = (
    'format = 1\nid = "small"\nversion = "2026-11-26.1"\napproval = "pending"\n'
    + said("title", "Small")
    + said("who", "Anybody")
    + '[guidelines.g]\nname = "G"\nedition = "1"\nyear = 2020\npublisher = "P"\nlicence = "CC-BY"\n'
)
SOURCE = 'source.guideline = "g"\nsource.chart = "Chart"\nsource.page = "3"\n'

ANSWERS: dict[str, tuple[Answer, ...]] = {
    "s": ("yes", "no", "unknown"),
    "t": ("yes", "no"),
    "n": (*(Decimal(n) / 2 for n in range(2, 9)), "unknown"),
    "m": tuple(Decimal(n) for n in range(4)),
    "c": ("mild", "bad", "worst", "unknown"),
}
KINDS = {
    "s": 'kind = "sign"\n',
    "t": 'kind = "sign"\nunknown = false\n',
    "n": 'kind = "number"\nunit = "u"\nmin = 1\nmax = 4.0\nstep = 0.5\n',
    "m": 'kind = "age"\nunit = "months"\nmin = 0\nmax = 3\n',
    "c": 'kind = "choice"\n' + said("codes.mild", "m") + said("codes.bad", "b") + said("codes.worst", "w"),
}
GRAVER = {"s": ("", "yes"), "t": ("", "yes"), "n": ("", "high", "low"), "m": ("", "high", "low"), "c": ("", "listed")}
COMPARED: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


@dataclass(frozen=True)
class Small:
    """A table as text, with what its rows mean."""

    text: str
    dangers: dict[str, str]
    rows: tuple[tuple[str, str, Callable[[Case], bool]], ...]
    """(id, urgency, when)."""

    def read(self) -> Table:
        table, complaints = read_text(self.text)
        assert table is not None
        assert not complaints, [one.say("en") for one in complaints]
        return table

    def cases(self) -> Iterator[Case]:
        """Every combination of answers, each number on its step."""
        for answers in product(*(ANSWERS[name] for name in self.dangers)):
            yield dict(zip(self.dangers, answers, strict=True))

    def met(self, case: Case) -> list[str]:
        """The rows that are met, none of an earlier section being so."""
        for urgency in URGENCIES:
            if found := [name for name, its, when in self.rows if its == urgency and when(case)]:
                return found
        return []

    def rank(self, case: Case) -> int:
        """0 for the highest urgency."""
        (row,) = self.met(case)
        return next(URGENCIES.index(urgency) for name, urgency, _ in self.rows if name == row)  # type: ignore[arg-type]


def read_text(text: str) -> tuple[Table | None, list]:  # type: ignore[type-arg]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.toml"
        path.write_text(text, encoding="utf-8")
        return read(path)


def atom(name: str) -> st.SearchStrategy[Told]:
    words = [a for a in ANSWERS[name] if isinstance(a, str)]
    numbers = [a for a in ANSWERS[name] if isinstance(a, Decimal)]
    told = []
    if name in "st":
        told.append(st.just((name, lambda case: case[name] == "yes")))
    if words:
        told.append(st.sampled_from(words).map(lambda w: (f"{name} is {w}" if name == "c" and w != "unknown" else f"{name} {w}", lambda case: case[name] == w)))  # fmt: skip
    if numbers:
        pairs = st.tuples(st.sampled_from(sorted(COMPARED)), st.sampled_from(numbers))
        told.append(pairs.map(lambda p: (f"{name} {p[0]} {p[1]}", lambda case: case[name] != "unknown" and COMPARED[p[0]](case[name], p[1]))))  # type: ignore[arg-type]  # fmt: skip
    return st.one_of(told)


def conditions(names: list[str]) -> st.SearchStrategy[Told]:
    def deeper(below: st.SearchStrategy[Told]) -> st.SearchStrategy[Told]:
        several = st.lists(below, min_size=2, max_size=3)
        return st.one_of(
            below.map(lambda one: (f"not ({one[0]})", lambda case: not one[1](case))),
            several.map(lambda some: ("(" + " and ".join(f"({t})" for t, _ in some) + ")", lambda case: all(f(case) for _, f in some))),
            several.map(lambda some: ("(" + " or ".join(t for t, _ in some) + ")", lambda case: any(f(case) for _, f in some))),
            several.map(lambda some: (f"at least 2 of ({', '.join(t for t, _ in some)})", lambda case: sum(f(case) for _, f in some) >= 2)),
        )  # fmt: skip

    return st.recursive(st.sampled_from(names).flatmap(atom), deeper, max_leaves=5)


@st.composite
def small_tables(draw: st.DrawFn, closed: bool = False) -> Small:
    """A table; a closed one is total and without overlaps, whatever its conditions are."""
    names = draw(st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=3, unique=True))
    dangers = {name: draw(st.sampled_from(GRAVER[name])) for name in names}
    told = draw(st.lists(conditions(names), min_size=1, max_size=3))
    picked = draw(st.lists(st.sampled_from(URGENCIES[:3]), min_size=len(told), max_size=len(told), unique=closed))
    rows = [
        (f"r{n}", urgency, *when)
        for n, (urgency, when) in enumerate(zip(sorted(picked, key=URGENCIES.index), told, strict=True))
    ]
    if closed or draw(st.booleans()):
        others = " or ".join(f"({text})" for _, _, text, _ in rows)
        rows.append(("rest", "home", f"not ({others})", lambda case: not any(when(case) for *_, when in rows[:-1])))
    text = HEAD + "".join(
        f"[inputs.{name}]\n{KINDS[name]}"
        + (f'danger = "{dangers[name]}"\n' if dangers[name] else "")
        + said("ask", name)
        for name in names
    )
    for name, urgency, when, _ in rows:
        text += f'[rows.{name}]\nurgency = "{urgency}"\nwhen = "{when}"\noutcome = "o"\n{SOURCE}'
    text += "[outcomes.o]\n" + said("title", "O") + 'do.es = ["a"]\ndo.pt = ["a"]\ndo.en = ["a"]\n'
    return Small(text, dangers, tuple((name, urgency, when) for name, urgency, _, when in rows))


def some(one: Input, random: Random) -> Answer:
    """Return one answer of all that an input takes."""
    if one.kind in ("number", "age") and not (one.may_be_unknown and random.random() < 0.2):
        return one.least + one.step * random.randrange(int((one.most - one.least) / one.step) + 1)
    return random.choice(one.values())
