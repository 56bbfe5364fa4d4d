"""Reports of a hub over a million answers: seconds of one core for each table, for one school, and again from memory."""

from __future__ import annotations

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.hub.database import open_database
from edge.hub.place import Place, create
from edge.hub.reports.build import NAMES, Reports
from edge.hub.reports.files import as_csv, as_xlsx
from edge.hub.reports.memory import Memory
from edge.hub.reports.months import period
from edge.learning.exercise import LEVELS, SKILLS, generate
from edge.sync.facts import Answer, Stream
from edge.words import words_for

SCHOOLS, EACH, LEARNERS = 100, 10_000, 30
BEGIN, STEP = 1_772_438_400, 2_300
"""From March 2026 on, an answer every so many seconds: nine months."""

NOW = "2026-11-26T12:00:00.000Z"


def filled(folder: Path, schools: int = SCHOOLS, each: int = EACH, address: str = "") -> Place:
    """Make a hub in which every school answered exercises of every kind, in every month."""
    place = create(folder, "hub", None, address)
    chance = random.Random(1)
    items = [
        generate(skill, level, "es", chance) for skill in SKILLS for level in range(1, LEVELS + 1) for _ in range(300)
    ]
    with open_database(place) as database:
        for school in range(schools):
            rows = []
            for seq in range(1, each + 1):
                item = chance.choice(items)
                right = chance.random() < 0.6
                option = chance.choice([option for option in item.options if option.right is right])
                who = school * 1000 + chance.randrange(LEARNERS) + 1
                lesson = item.id.rpartition("/")[0]
                rows.append(Answer(seq, who, lesson, item.id, option.text, int(right), 0, 100, BEGIN + seq * STEP))
            stream = Stream(f"{school:016}", tuple(rows))
            with database.step([stream]):
                database.add(stream, database.stream(stream.device, database.school(f"escuela-{school:04}")))
    return place


def measure(place: Place, school: str) -> dict[str, float]:
    """Return the seconds for each table, each from the start, then some again from memory."""
    words, found = words_for("edge", "es"), {}

    def timed(name: str, *, of: str = "", memory: Memory | None = None) -> None:
        begun = time.process_time()
        Reports(database, place.folder, words, period("", "", NOW), NOW, of, memory or Memory()).tables([name])
        found[f"`{name}`{' of one school' if of else ''}{' again' if memory else ''}"] = time.process_time() - begun

    with open_database(place) as database:
        Reports(database, place.folder, words, period("", "", NOW), NOW).catalogue.lesson("")
        for name in NAMES:
            timed(name)
        for name in ("lessons", "mistakes"):
            timed(name, of=school)
        memory = Memory()
        reports = Reports(database, place.folder, words, period("", "", NOW), NOW, memory=memory)
        tables = reports.tables(["details", "mistakes"])
        for name in ("lessons", "mistakes"):
            timed(name, memory=memory)
    for title, write in (("CSV", lambda: as_csv(tables[0], words)), ("XLSX", lambda: as_xlsx(tables[:1], words))):
        begun = time.process_time()
        write()
        found[f"{len(tables[0].rows):,} rows as {title}"] = time.process_time() - begun
    return found


def run() -> str:
    """Return the table."""
    with TemporaryDirectory() as folder:
        found = measure(filled(Path(folder) / "hub"), "escuela-0007")
    rows = "\n".join(f"| {name} | {seconds:.2f} s |" for name, seconds in found.items())
    return f"{SCHOOLS * EACH:,} answers, {SCHOOLS} schools, SQLite.\n\n| what | of one core |\n|---|---|\n{rows}"
