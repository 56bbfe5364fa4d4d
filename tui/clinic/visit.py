"""One patient: what was answered, what the tables said, and which question comes next.

Rules decide (`edge.triage`); here only answers are kept, in memory alone. What is written is `case`'s matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from edge.triage.age import age_in, months_between, read_date
from edge.triage.answers import checked, read_answer
from edge.triage.condition import UNKNOWN, Answer
from edge.triage.errors import TriageError
from edge.triage.parts import URGENCIES, Input, Table, own_words
from edge.triage.run import Decision, decide, open_questions
from edge.triage.vaccines import OLDEST_MONTHS

_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one table said of this patient."""

    table: Table
    decision: Decision
    answers: Mapping[str, Answer]


class Visit:
    """A patient in front of the health worker, with one problem or several."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        """In the order in which the problems were looked at."""

        self.again: list[str] = []
        """Tables whose answers no longer fit what was answered later."""

        self.born: date | None = None
        self._known: dict[str, tuple[Input, Answer]] = {}

    def most_urgent_first(self) -> list[Finding]:
        """Return the findings, the gravest first; equals stay in the order in which they were found."""
        return sorted(self.findings, key=lambda finding: URGENCIES.index(finding.decision.urgency))

    def known(self, one: Input, on: date) -> Answer | None:
        """Return what this patient's answer to the very same question was; what was not known is asked again."""
        if one.kind == "age" and self.born is not None:
            return _allowed(one, age_in(one.unit, self.born, on))
        before, answer = self._known.get(one.id, (None, UNKNOWN))
        if before is None or answer == UNKNOWN or not _same(before, one):
            return None
        return _allowed(one, answer)

    def keep(self, table: Table, answers: dict[str, Answer]) -> None:
        """Decide and keep it; what an earlier table was told otherwise must be looked at again."""
        finding = Finding(table, decide(table, answers), dict(answers))
        changed = {one.id for one in table.inputs if one.id in answers and self._differs(one, answers[one.id])}
        for other in [other for other in self.findings if other.table.id != table.id]:
            if changed & {one.id for one in other.table.inputs}:
                self.findings.remove(other)
                self.again.append(other.table.id)
        self.forget(table.id)
        self.findings.append(finding)
        self._known |= {one.id: (one, answers[one.id]) for one in table.inputs if one.id in answers}

    def forget(self, table: str) -> None:
        """Take back what a table said, so that it can be answered otherwise."""
        self.findings = [finding for finding in self.findings if finding.table.id != table]
        self.again = [name for name in self.again if name != table]

    def _differs(self, one: Input, answer: Answer) -> bool:
        before, said = self._known.get(one.id, (None, answer))
        return before is not None and _same(before, one) and said != answer


class Walk:
    """The way through one table: one question after another, and back without losing an answer."""

    def __init__(self, table: Table, visit: Visit, on: date) -> None:
        self.table = table
        self.visit = visit
        self.on = on
        self.trail: list[str] = []
        """The questions answered so far, in order."""

        self.taken_over: list[str] = []
        """Those of them that another problem of this patient had asked already."""

        self.kept: dict[str, Answer] = {}
        """Every answer given, also those before which somebody stepped back."""

        self._born: tuple[date | None, ...] = ()
        """The date of birth that was typed on this way, or that none was; empty where no age was asked."""

        self._take_over()

    def resume(self, answers: Mapping[str, Answer]) -> None:
        """Take answers that were given before the power went, as far as the questions still are the same."""
        while (coming := self.open()) and coming[0].id in answers:
            self.kept[coming[0].id] = answers[coming[0].id]
            self.trail.append(coming[0].id)

    @property
    def born(self) -> date | None:
        """The date of birth typed on this way, or what was known before."""
        return next(iter(self._born), self.visit.born)

    @property
    def answers(self) -> dict[str, Answer]:
        """What counts now."""
        return {name: self.kept[name] for name in self.trail}

    def open(self) -> tuple[Input, ...]:
        """Return the questions that can still change something, the next first; none: it is decided."""
        return open_questions(self.table, self.answers)

    def left(self) -> int:
        """Return how many questions may still come after the next one, those for a dose among them."""
        names = {one.id for one in self.open()} | {name for dose in self.table.doses for name in dose.by}
        return len(names - self.answers.keys()) - 1

    def answer(self, one: Input, text: str) -> None:
        """Take an answer as typed; raise TriageError in a sentence where it is none."""
        iso = iso_date(text)
        self.kept[one.id] = read_answer(one, iso or text, self.on)
        if one.kind == "age":
            self._born = (read_date(iso) if iso else None,)
        self.trail.append(one.id)
        self._take_over()

    def back(self) -> bool:
        """Step before the last answer, which is kept; tell whether there was one.

        What the table said before stands until it is answered to its end again.
        """
        if not self.trail:
            return False
        self.trail.pop()
        return True

    def finish(self) -> None:
        """Decide, and keep it with the visit."""
        for born in self._born:
            self.visit.born = born
        self.visit.keep(self.table, self.answers)

    def _take_over(self) -> None:
        """Answer by what is known of this patient, until a question is open that nobody asked yet."""
        while coming := self.open():
            one = coming[0]
            known = None if one.id in self.kept else self.visit.known(one, self.on)
            if known is None:
                return
            self.kept[one.id] = known
            self.trail.append(one.id)
            self.taken_over.append(one.id)


SINGLE_KEYS = {"y": "yes", "s": "yes", "n": "no", "d": UNKNOWN, "?": UNKNOWN}
"""Yes in each language, no, don't know."""


def meant(one: Input, typed: str) -> str:
    """Return the answer that a letter or a digit stands for; anything else as it was typed."""
    plain, values = typed.strip().casefold(), one.values()
    if one.kind in ("number", "age"):
        return UNKNOWN if plain in ("d", "?") and one.may_be_unknown else typed
    if plain.isdecimal() and 0 < int(plain) <= len(values):
        return values[int(plain) - 1]
    return SINGLE_KEYS[plain] if SINGLE_KEYS.get(plain) in values else typed


def months_of(text: str, on: date) -> Decimal | None:
    """Return a child's age in months, from months or a date of birth as typed; None where it is neither, or too much."""
    born = iso_date(text)
    if not born and not (text.isdecimal() and len(text) < 4):
        return None
    months = Decimal(months_between(read_date(born), on) if born else int(text))
    return months if months <= OLDEST_MONTHS else None


def iso_date(text: str) -> str:
    """Return a date written day first, as people here do, or year first, as 2025-09-01; else nothing."""
    plain = text.strip()
    if found := _DAY_FIRST.fullmatch(plain):
        day, month, year = (int(part) for part in found.groups())
        return f"{year:04}-{month:02}-{day:02}"
    return plain if re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain) else ""


def _allowed(one: Input, answer: Answer) -> Answer | None:
    """Return an answer if this question allows it."""
    try:
        return checked(one, answer)
    except TriageError:
        return None


def _same(before: Input, one: Input) -> bool:
    """Tell whether two tables ask the very same; of an age only the unit counts."""
    if one.kind == "age":
        return before.kind == "age" and before.unit == one.unit
    facts = ((asked.kind, own_words(asked.ask), asked.unit, asked.codes) for asked in (before, one))
    return next(facts) == next(facts)


def age_months(visit: Visit, on: date) -> Decimal | None:
    """Return the completed months of this patient where a date of birth or an age in months is known."""
    if visit.born is not None:
        return age_in("months", visit.born, on)
    found = next((a for one, a in visit._known.values() if one.kind == "age" and one.unit == "months"), None)
    return found if isinstance(found, Decimal) else None
