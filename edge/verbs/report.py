"""`amauta report`: how far each learner is, lesson by lesson."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.command_line import ExitCode
from edge.errors import PackError
from edge.learning.exercise import LEVELS, SKILLS, lesson_id, title
from edge.learning.learner import Learner
from edge.learning.mastery import LessonProgress, progress_of
from edge.learning.roster import table
from edge.learning.store import Store
from edge.settings import Settings
from edge.verbs.learners import find_learner, write_table
from edge.words import Words, words_for

_COLUMNS = ("learner", "lesson", "attempts", "right", "items", "mastery", "last")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One learner in one lesson."""

    learner: Learner
    title: str
    progress: LessonProgress

    @property
    def percent(self) -> int:
        """Mastery as people read it."""
        return round(100 * self.progress.mastery)


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `report`."""
    parser.add_argument("--learner", metavar="NAME", help=words.say("verbs.report.learner"))
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    parser.add_argument("--csv", metavar="FILE", type=Path, help=words.say("verbs.report.csv"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the progress of everybody, or of one learner."""
    words = words_for("edge", settings.spoken_lang)
    with Store.open(settings.store_path) as store:
        rows = _rows(store, args.learner, settings)
    if args.csv is not None:
        headings = [words.say(f"report.column-{column}") for column in _COLUMNS]
        write_table(args.csv, table(headings, map(_cells, rows)))
        sys.stderr.write(f"{words.say('report.written', path=args.csv, count=len(rows))}\n")
    if args.json:
        report = {"progress": [_as_json(row) for row in rows]}
        sys.stdout.write(f"{json.dumps(report, ensure_ascii=False)}\n")
    elif args.csv is None:
        _print(rows, words)
    return ExitCode.DONE


def _rows(store: Store, called: str | None, settings: Settings) -> list[ReportRow]:
    learners = store.learners()
    if called is not None:
        learners = [find_learner(learners, called)]
    attempts = {learner: store.attempts(learner.id) for learner in learners}
    tried = {attempt.lesson for own in attempts.values() for attempt in own}
    titles, item_counts = _lessons(tried, settings)
    return [
        ReportRow(learner, titles.get(progress.lesson, progress.lesson), progress)
        for learner, own in attempts.items()
        for progress in progress_of(own, item_counts)
    ]


def _lessons(tried: set[str], settings: Settings) -> tuple[dict[str, str], dict[str, int]]:
    """Return the titles and sizes of the lessons; a report needs no packs, it is only nicer with them."""
    titles = {
        lesson_id(skill, level): f"{title(skill, settings.spoken_lang)} {level}"
        for skill in SKILLS
        for level in range(1, LEVELS + 1)
    }
    if tried <= titles.keys():
        return titles, {}
    from edge.library.library import Library

    try:
        library = Library.open(settings)
    except PackError:
        return titles, {}
    try:
        rows = library.lessons()
    finally:
        library.close()
    return titles | {row.id: row.title for row in rows}, {row.id: row.item_count for row in rows}


def _print(rows: list[ReportRow], words: Words) -> None:
    if not rows:
        sys.stderr.write(f"{words.say('report.none')}\n")
    for learner in dict.fromkeys(row.learner for row in rows):
        own = [row for row in rows if row.learner == learner]
        attempts = sum(row.progress.attempts for row in own)
        right = sum(row.progress.right for row in own)
        head = words.say("report.head", name=learner.name, attempts=attempts, right=right)
        sys.stdout.write(f"{head}\n")
        for row in own:
            counts = {"mastery": row.percent, "right": row.progress.right, "attempts": row.progress.attempts}
            sys.stdout.write(f"{words.say('report.line', lesson=row.title, **counts)}\n")


def _cells(row: ReportRow) -> tuple[str | int, ...]:
    progress = row.progress
    counts = (progress.attempts, progress.right, progress.items, row.percent)
    return (row.learner.name, row.title, *counts, progress.last_at[:16].replace("T", " "))


def _as_json(row: ReportRow) -> dict[str, str | int | float]:
    return {
        "learner": row.learner.name,
        "learner_id": row.learner.id,
        "lesson": row.progress.lesson,
        "title": row.title,
        "attempts": row.progress.attempts,
        "right": row.progress.right,
        "items": row.progress.items,
        "mastery": round(row.progress.mastery, 3),
        "last_at": row.progress.last_at,
    }
