"""The mistakes behind wrong answers: which, in what, and at least how many learners of how many schools made them.

No answers are counted here, only learners, and they as `groups` says: none below five, the rest rounded down to a
multiple of five; over several months the busiest one of each school counts. Schools in which fewer than five made
a mistake count together, and at most three learners each: a sum that said "all four of each" would say how many
they are in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.hub.database import Database
from edge.hub.reports.answers import SUMS_AT_ONCE, batches
from edge.hub.reports.catalogue import Catalogue, plain
from edge.hub.reports.groups import SMALLEST, rounded
from edge.hub.reports.months import Period, chosen_months
from edge.hub.reports.table import Table, number, text
from edge.hub.reports.totals import ADDED_UP, CELLS, EVER
from edge.learning.grade import LETTERS, chosen_option

Label = tuple[str, str, str]
"""Lesson, item (empty for exercises made on the spot) and which mistake (empty: any)."""

# Of each school its busiest month. The cells of a Tally.
_COUNTED = f"""
SELECT lesson, item, which, {ADDED_UP} FROM (
    SELECT lesson, item, which, max(learners) AS most FROM sums_mistakes
    WHERE school BETWEEN ? AND ? AND {{chosen}} GROUP BY school, lesson, item, which
) AS busiest GROUP BY lesson, item, which
"""
_TOTALS = f"SELECT lesson, item, which, {CELLS} FROM sums_totals WHERE month = ?"
_MOST_OF_FEW = 3


@dataclass(slots=True)
class Tally:
    """Who made one mistake."""

    shown: int = 0
    schools: int = 0
    few: int = 0
    few_schools: int = 0

    def count(self, learners: int) -> None:
        """Count one school."""
        if learners >= SMALLEST:
            self.shown += rounded(learners)
            self.schools += 1
        else:
            self.few += learners
            self.few_schools += 1

    def add(self, shown: int, schools: int, few: int, few_schools: int) -> None:
        """Count what other schools have."""
        self.shown += shown
        self.schools += schools
        self.few += few
        self.few_schools += few_schools

    def order(self) -> tuple[int, ...]:
        """Return what the larger of two is found by."""
        return self.learners(), self.shown, self.schools, self.few, self.few_schools

    def learners(self) -> int:
        """Return at least how many there are, as far as it may be said."""
        return self.shown + rounded(min(self.few, _MOST_OF_FEW * self.few_schools))


def mistakes(database: Database, period: Period, catalogue: Catalogue, school: str = "") -> Table:
    """Return the mistakes that may be shown, the most frequent of each lesson first."""
    tallies = _tallies(database, period, catalogue, school)
    learners = {label: tally.learners() for label, tally in tallies.items()}
    rows = []
    for label in sorted(learners, key=lambda each: (-learners[each], each)):
        if learners[label]:
            lesson = catalogue.lesson(label[0])
            said = (lesson.title, *_said(label, catalogue), learners[label], tallies[label].schools)
            rows.append((*said, label[0], label[1]))
    columns = (text("lesson"), text("item"), text("mistake"), number("learners"), number("schools"))
    details = (text("lesson-id", detail=True), text("item-id", detail=True))
    return Table("mistakes", (*columns, *details), tuple(rows), tuple(str(row[5]) for row in rows))


def _tallies(database: Database, period: Period, catalogue: Catalogue, school: str) -> dict[Label, Tally]:
    words = dict(database.rows("SELECT id, text FROM words"))
    counted: dict[tuple[int, str, str], Tally] = defaultdict(Tally)
    for lesson, item, which, *counts in _counted(database, period, school):
        counted[lesson, item, which].add(*counts)
    tallies: dict[Label, Tally] = {}
    for (lesson, item, which), tally in counted.items():
        label = (words[lesson], item, named(item, which, catalogue))
        # Two answers may mean one option, and who gave both is one: at least as many as gave the more frequent.
        if label not in tallies or tally.order() > tallies[label].order():
            tallies[label] = tally
    return tallies


def _counted(database: Database, period: Period, school: str) -> Iterator[tuple[Any, ...]]:
    """Yield the mistakes of some schools, or of all: of one month, or of all months, they are added up already."""
    months = [EVER] if period.is_all else period.months()
    if not school and len(months) == 1:
        yield from database.rows(_TOTALS, months)
        return
    sql = _COUNTED.format(chosen=chosen_months(period))
    for _, first, last in batches(database, school, SUMS_AT_ONCE):
        yield from database.rows(sql, [first, last])


def named(item: str, which: str, catalogue: Catalogue) -> str:
    """Return what was answered: an option's text where the item is known, else as it came, a letter perhaps."""
    known = catalogue.items.get(item) if which else None
    if known is None or known.kind != "choice":
        return which
    option = chosen_option(known, which)
    # Anything else that was typed there is just wrong.
    return option.text if option else ""


def _said(label: Label, catalogue: Catalogue) -> tuple[str, str]:
    """Return the question and the mistake as people read them."""
    say = catalogue.words.say
    _, item, which = label
    if not item:
        return "", say(f"exercise.wrong.{which}")
    known = catalogue.items.get(item)
    asked = known.prompt if known else plain(item)
    if not which:
        return asked, say("reports.any-mistake")
    why = next((option.feedback for option in known.options if option.text == which), "") if known else ""
    if known is None and which in LETTERS:
        return asked, say("reports.option", letter=which)
    return asked, say("reports.answered", given=which, why=why).strip()
