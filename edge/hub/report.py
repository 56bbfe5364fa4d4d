"""What a district may know: by school and lesson, the mistakes behind wrong answers, and when devices were heard from.

Pure questions to the database. A group of fewer than five learners shows no numbers, and nothing is added up
over groups that are hidden, so that no difference gives one away.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from edge.hub.database import Database
from edge.hub.mistakes import mistake

SMALLEST_GROUP = 5


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One lesson in one school; the numbers are None when too few learners did it."""

    school: str
    lesson: str
    attempts: int | None
    right: int | None
    learners: int | None


@dataclass(frozen=True, slots=True)
class MistakeRow:
    """One mistake in one lesson of one school."""

    school: str
    lesson: str
    mistake: str
    """The key of `exercise.wrong.NAME` in the strings."""

    times: int
    learners: int


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device."""

    school: str
    device: str
    heard: str
    versions: dict[str, str]
    state: str
    """`fine`, `cloned` (two devices use its identity) or `renewed` (another identity came after it)."""


def lessons(database: Database) -> list[LessonRow]:
    """Return every lesson of every school."""
    rows = database.rows(
        "SELECT code, text, count(*), sum(correct), count(DISTINCT learner) FROM attempts "
        "JOIN streams ON streams.id = stream JOIN schools ON schools.id = school JOIN words ON words.id = lesson "
        "GROUP BY code, text ORDER BY code, text"
    )
    return [
        LessonRow(school, lesson, attempts, right, learners)
        if learners >= SMALLEST_GROUP
        else LessonRow(school, lesson, None, None, None)
        for school, lesson, attempts, right, learners in rows
    ]


def mistakes(database: Database) -> list[MistakeRow]:
    """Return the mistakes that at least five learners of a school made, the most frequent first."""
    wrong = database.rows(
        "SELECT code, text, item, given, learner FROM attempts JOIN streams ON streams.id = stream "
        "JOIN schools ON schools.id = school JOIN words ON words.id = lesson "
        "WHERE correct = 0 AND given != '' AND text LIKE 'exercise/%'"
    )
    times: dict[tuple[str, str, str], int] = defaultdict(int)
    who: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for school, lesson, item, given, learner in wrong:
        if name := mistake(item, given):
            times[school, lesson, name] += 1
            who[school, lesson, name].add(learner)
    found = [MistakeRow(*group, times[group], len(who[group])) for group in times]
    shown = [row for row in found if row.learners >= SMALLEST_GROUP]
    return sorted(shown, key=lambda row: (row.school, row.lesson, -row.times, row.mistake))


def devices(database: Database) -> list[DeviceRow]:
    """Return every device, the one not heard from for longest first."""
    rows = database.rows(
        "SELECT code, devices.id, heard, versions, after, coalesce(cloned, 0) FROM devices "
        "JOIN schools ON schools.id = devices.school LEFT JOIN streams ON streams.name = devices.stream "
        "ORDER BY heard, devices.id"
    )
    return [
        DeviceRow(school, device, heard, json.loads(versions), "renewed" if after else "cloned" if cloned else "fine")
        for school, device, heard, versions, after, cloned in rows
    ]


def refused(database: Database, most: int = 100) -> list[tuple[str, str, str, str]]:
    """Return the last files that were not taken in: when, file, outcome and reason."""
    sql = "SELECT at, file, outcome, detail FROM audit WHERE outcome IN ('refused', 'unfinished') ORDER BY id DESC LIMIT ?"
    return [(at, file, outcome, detail) for at, file, outcome, detail in database.rows(sql, [most])]
