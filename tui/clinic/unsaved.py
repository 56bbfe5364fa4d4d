"""What was answered and not saved yet, as the records seal it, and back from there; and the dialogue that offers it.

Nothing in it says whose answers they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from edge.learning.attempt import stamp
from edge.records.unsaved import LONGEST_USE_SECONDS, Facts
from edge.triage.age import read_date
from edge.triage.answers import read_answers, written
from edge.triage.parts import in_language
from edge.words import Words, words_for
from tui.clinic.asks import Choose, Pick, Steps
from tui.clinic.case import same_table
from tui.clinic.told import Line
from tui.clinic.visit import Visit, Walk
from tui.clinic.written import day

if TYPE_CHECKING:
    from edge.triage.condition import Answer
    from edge.triage.parts import Table
    from tui.services import Services

GO_ON = "table:"
"""Before the name of the table to go on with."""

LATER, PROBLEMS, THROWN = "", "problems", "thrown"
"""What else may come of the offer."""


@dataclass(frozen=True, slots=True)
class Left:
    """Answers that were left unsaved, as they can be gone on with."""

    name: str
    at: datetime
    visit: Visit
    begun: dict[str, dict[str, str]]
    """Answers to the table that was not finished, by its name and hash."""

    @property
    def table(self) -> str:
        """Return the name of the table that was not finished; nothing: there is none."""
        return next(iter(self.begun), "").partition(" ")[0]


def facts_of(visit: Visit, walk: Walk | None, now: datetime) -> Facts:
    """Return all that was answered: the tables that are finished, and the one that is not."""
    born = walk.born if walk else visit.born
    return {
        "at": stamp(now),
        "born": born.isoformat() if born else "",
        "runs": [_answers(finding.table, finding.answers) for finding in visit.findings],
        "begun": _answers(walk.table, walk.answers) if walk and walk.answers else None,
    }


def _answers(table: Table, answers: Mapping[str, Answer]) -> Facts:
    said = {name: written(answer) for name, answer in answers.items()}
    return {"table": table.id, "sha256": table.sha256, "answers": said}


def left_of(name: str, facts: Facts, find: Callable[[str], Table], on: date) -> Left:
    """Return sealed answers again; a table that changed since has to be looked at again."""
    visit = Visit()
    if facts["born"]:
        visit.born = read_date(facts["born"])
    for run in facts["runs"]:
        table = same_table(run["table"], run["sha256"], find)
        if table is None:
            visit.again.append(run["table"])
        else:
            visit.keep(table, read_answers(table, run["answers"], on))
    begun = facts["begun"]
    kept = {f"{begun['table']} {begun['sha256']}": begun["answers"]} if begun else {}
    if begun and same_table(begun["table"], begun["sha256"], find) is None:
        visit.again.append(begun["table"])
        kept = {}
    return Left(name, datetime.fromisoformat(facts["at"]).astimezone(), visit, kept)


def offer(services: Services, left: Left) -> Steps[str]:
    """Ask whether to go on with answers or throw them away, by one key each; back leaves them for later."""
    words, desk = services.words, services.desk
    options = tuple(
        Pick(deed, words.say(f"records.left_{deed}"), words.say(f"records.left_{deed}_key")) for deed in ("go", "throw")
    )
    chosen = yield Choose(words.say("records.left"), options, tuple(_lines(services, left)))
    if chosen == "throw":
        desk.throw_away(left.name)
        return THROWN
    if chosen is None:
        return LATER
    desk.take_up(left)
    return f"{GO_ON}{left.table}" if left.table else PROBLEMS


def offer_all(services: Services) -> Steps[str]:
    """Offer what was left, the newest first, until one is gone on with; return what to show then, or nothing."""
    for left in services.desk.left():
        result = yield from offer(services, left)
        if result not in (LATER, THROWN):
            return result
    return ""


def left_pick(left: Left, services: Services) -> Pick:
    """Say answers that nobody saved in one line of the list of visits."""
    words = services.words
    named = [in_language(finding.table.title, words.lang) for finding in left.visit.most_urgent_first()]
    if left.table:
        named.append(in_language(services.desk.table(left.table).title, words.lang))
    return Pick(f"left:{left.name}", f"{_when(left):<17} {', '.join(named)}", words.say("records.left_mark"), "pending")


def _lines(services: Services, left: Left) -> Iterator[Line]:
    words = services.words
    yield "step", words.say("records.left_about", when=_when(left))
    yield "gap", ""
    yield from _found(left, words)
    if left.table:
        title = in_language(services.desk.table(left.table).title, words.lang)
        count = len(next(iter(left.begun.values())))
        yield "title", words.say("records.left_begun", table=title, count=count)
    yield "gap", ""
    yield "quiet", words.say("records.left_until", hours=round(LONGEST_USE_SECONDS / 3600))


def _found(left: Left, words: Words) -> Iterator[Line]:
    edge = words_for("edge", words.lang)
    for finding in left.visit.most_urgent_first():
        urgency = finding.decision.urgency
        outcome = next(one for one in finding.table.outcomes if one.id == finding.decision.outcome)
        yield urgency, f"{edge.say(f'records.urgency-{urgency}').upper()}: {in_language(outcome.title, words.lang)}"


def _when(left: Left) -> str:
    return f"{day(left.at.isoformat())} {left.at:%H:%M}"
