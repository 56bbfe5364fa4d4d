"""The mistakes behind wrong answers: which, in what, and at least how many learners of how many schools made them.

No answers are counted here, only learners, and they as `groups` says: none below five, the rest rounded down to a
multiple of five. Schools in which fewer than five made a mistake count together, and at most three learners
each: a sum that said "all four of each" would say how many they are in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from edge.hub.database import Database
from edge.hub.mistakes import mistake
from edge.hub.reports.answers import batches
from edge.hub.reports.catalogue import Catalogue, plain
from edge.hub.reports.groups import SMALLEST, rounded
from edge.hub.reports.months import Period, condition
from edge.hub.reports.table import Table, number, text
from edge.learning.grade import chosen_option

Label = tuple[str, str, str]
"""Lesson, item (empty for exercises made on the spot) and which mistake (empty: any)."""

_WRONG = """
SELECT DISTINCT streams.school, attempts.lesson, attempts.item, attempts.given, attempts.learner
FROM streams CROSS JOIN attempts
WHERE attempts.stream = streams.id AND streams.school BETWEEN ? AND ? AND attempts.correct = 0 AND {condition}
"""
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
    known: dict[tuple[str, str, str], list[Label]] = {}
    tallies: dict[Label, Tally] = defaultdict(Tally)
    for _, first, last in batches(database, school):
        who: dict[tuple[Label, int], set[int]] = defaultdict(set)
        for number_, lesson, item, given, learner in database.rows(
            _WRONG.format(condition=condition(period)), [first, last]
        ):
            answer = (words[lesson], item, given)
            if (labels := known.get(answer)) is None:
                labels = known[answer] = list(labels_of(*answer, catalogue))
            for label in labels:
                who[label, number_].add(learner)
        for (label, _), learners in who.items():
            tallies[label].count(len(learners))
    return tallies


def labels_of(lesson: str, item: str, given: str, catalogue: Catalogue) -> Iterator[Label]:
    """Yield the mistakes that one wrong answer is an example of."""
    if item.startswith("exercise/"):
        if name := mistake(item, given):
            yield lesson, "", name
        return
    yield lesson, item, ""
    if not given or (known := catalogue.items.get(item)) is None:
        return
    if known.kind != "choice":
        yield lesson, item, plain(given).strip()
    elif option := chosen_option(known, given):
        yield lesson, item, option.text


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
    return asked, say("reports.answered", given=which, why=why).strip()
