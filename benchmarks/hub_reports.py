"""Reports of a hub with 300 schools, in SQLite and in PostgreSQL: from the answers themselves, and from the sums."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.hub.database import Database, open_database
from edge.hub.place import Place, create
from edge.hub.reports import learning, sums
from edge.hub.reports.answers import batches
from edge.hub.reports.build import NAMES, Reports
from edge.hub.reports.catalogue import Catalogue
from edge.hub.reports.files import as_csv, as_xlsx
from edge.hub.reports.groups import Own, publish
from edge.hub.reports.memory import Memory
from edge.hub.reports.months import in_months, month_column, months_of, period
from edge.hub.reports.table import Table
from edge.learning.exercise import LEVELS, SKILLS, generate
from edge.sync.facts import Answer, Stream
from edge.words import words_for

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from postgres import server

SCHOOLS, EACH, LEARNERS = int(os.environ.get("REPORT_SCHOOLS", "300")), int(os.environ.get("REPORT_EACH", "3000")), 30
BEGIN, DAYS = 1_772_438_400, 260
"""From March 2026 on, nine months; a quarter of what is handed over comes from packs."""

NOW = "2026-11-26T12:00:00.000Z"
OF_ALL = period("", "", NOW)
WORDS = words_for("edge", "es")
BATCH = 20
"""Schools in one step, while the hub is filled."""

_OWN = """
SELECT streams.school, {month}, lesson, learner, count(*), sum(correct) FROM streams CROSS JOIN attempts
WHERE attempts.stream = streams.id AND streams.school BETWEEN ? AND ? AND {within} GROUP BY 1, 2, 3, 4
"""


def filled(folder: Path, address: str = "") -> Place:
    """Make a hub in which every school answered exercises of every kind, and items of packs, in every month."""
    place = create(folder, "hub", None, address)
    chance = random.Random(1)
    kinds = [(skill, level) for skill in SKILLS for level in range(1, LEVELS + 1)]
    items = [generate(skill, level, "es", chance) for skill, level in kinds for _ in range(300)]
    asked = [(item.id.rpartition("/")[0], item.id, item.options) for item in items]
    step = DAYS * 86_400 // EACH
    with open_database(place) as database:
        for first in range(0, SCHOOLS, BATCH):
            streams = [
                Stream(f"{n:016}", tuple(_answers(n, asked, step, chance)))
                for n in range(first, min(first + BATCH, SCHOOLS))
            ]
            with database.step(streams):
                for stream in streams:
                    school = database.school(f"escuela-{int(stream.device):05}")
                    database.add(stream, database.stream(stream.device, school))
    return place


def _answers(school: int, asked: list[tuple[str, str, tuple]], step: int, chance: random.Random) -> Iterator[Answer]:
    for seq in range(1, EACH + 1):
        who, right = school * 1000 + chance.randrange(LEARNERS) + 1, int(chance.random() < 0.6)
        lesson, item, options = chance.choice(asked)
        given = next(option.text for option in chance.sample(options, len(options)) if option.right == right)
        if chance.random() < 0.25:
            lesson = f"paquete/{chance.randrange(40)}"
            item, given = f"{lesson}/{chance.randrange(8)}", "a" if right else chance.choice("bc")
        yield Answer(seq, who, lesson, item, given, right, 0, 100, BEGIN + seq * step)


def from_answers(database: Database) -> Table:
    """Return the lessons of every school as they were told before there were sums: from the answers."""
    months = months_of(BEGIN + day * 86_400 for day in range(DAYS + 1))
    words = dict(database.rows("SELECT id, text FROM words"))
    sql = _OWN.format(month=month_column(months), within=in_months(months))

    def parts() -> Iterator[list[Own]]:
        for codes, first, last in batches(database, at_once=50):
            together: dict[tuple[int, int], list[Own]] = defaultdict(list)
            for school, month, lesson, *rest in database.rows(sql, [first, last]):
                together[school, month].append(Own(codes[school], month, words[lesson], *map(int, rest)))
            yield from together.values()

    return learning.lessons(publish(parts()), Catalogue(WORDS, {}, {}))


def measure(place: Place) -> Iterator[tuple[str, float]]:
    """Yield what was done and the seconds it took; the two ways of telling must tell the same."""
    memory = Memory()

    def told(*names: str, school: str = "", since: str = "", kept: bool = False) -> list[Table]:
        chosen = period(since, since, NOW)
        return Reports(database, place.folder, WORDS, chosen, NOW, school, memory if kept else Memory()).tables(names)

    with open_database(place) as database:
        yield "`lessons` from the answers themselves", seconds(lambda: from_answers(database))
        yield "sums of everything, once", seconds(lambda: sums.catch_up(database))
        assert told("lessons")[0].rows == from_answers(database).rows
        for name in NAMES:
            yield f"`{name}`", seconds(lambda name=name: told(name))
        yield "`lessons` of one month", seconds(lambda: told("lessons", since="2026-05"))
        yield (
            "`lessons` and `mistakes` of one school",
            seconds(lambda: told("lessons", "mistakes", school="escuela-00007")),
        )
        told("lessons", "mistakes", "schools", "months", kept=True)
        yield (
            "four of them again, from memory",
            seconds(lambda: told("lessons", "mistakes", "schools", "months", kept=True)),
        )
        with database.step():
            database.execute("INSERT INTO stale (school, month) SELECT id, 24320 FROM schools WHERE id % 10 = 0")
        yield "sums of one month, a tenth of the schools", seconds(lambda: sums.catch_up(database))
        [details] = told("details")
    yield f"`details`, {len(details.rows):,} rows, as CSV", seconds(lambda: as_csv(details, WORDS))
    if len(details.rows) < 1_000_000:
        yield "the same as XLSX", seconds(lambda: as_xlsx([details], WORDS))


def seconds(deed: Callable[[], object]) -> float:
    """Return how long it took, waiting included: the server works too."""
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def run() -> str:
    """Return the table."""
    load = os.getloadavg()[0]
    with TemporaryDirectory() as folder, server() as started:
        found = [
            dict(measure(filled(Path(folder) / str(n), address))) for n, address in enumerate(("", started.database()))
        ]
    rows = "\n".join(f"| {name} | {found[0][name]:.2f} s | {found[1][name]:.2f} s |" for name in found[0])
    return (
        f"{SCHOOLS * EACH:,} answers, {SCHOOLS:,} schools of {LEARNERS} learners, 9 months; load before: {load:.1f}, "
        f"after: {os.getloadavg()[0]:.1f}.\n\n| what | SQLite | PostgreSQL |\n|---|---|---|\n{rows}"
    )
