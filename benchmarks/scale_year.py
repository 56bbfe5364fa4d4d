"""A school year of 100,000 schools: a sample of schools handed over week by week, measured, and reckoned up."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.hub_ingest import on_stick
from benchmarks.sync_scale import NOW
from edge.hub.database import Database, open_database
from edge.hub.enrolling import enrol
from edge.hub.place import Place, create
from edge.hub.receive import receive, receive_stick
from edge.hub.reports import sums
from edge.hub.reports.build import Reports
from edge.hub.reports.months import Period
from edge.learning.exercise import LEVELS, SKILLS, generate
from edge.sync.bundle import Head, encode
from edge.sync.facts import Answer, Stream, harmless
from edge.sync.seal import BUNDLE, seal
from edge.words import words_for

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from postgres import server

SCHOOLS = 100_000
DEVICES = 2
"""In a school."""

LEARNERS = 25
"""On a device; a small primary school has fifty."""

ATTEMPTS = 15
"""Of a learner on a day the device is used."""

WEEKS = 36
DAYS = 3
"""In a week."""

SAMPLE = int(os.environ.get("SAMPLE_SCHOOLS", "12"))
BEGIN = 1_772_409_600
"""2 March 2026."""

PERIOD = Period(2026 * 12 + 11)


@dataclass(slots=True)
class Found:
    """What one kind of database did with the sample."""

    rows: int = 0
    took_s: float = 0.0
    cpu_s: float = 0.0
    """Of the hub and, where there is one, of the server: what a busy machine does not change much."""

    two_s: float = 0.0
    alone_s: float = 0.0
    """One bundle in a step, as over HTTPS."""

    sums_s: float = 0.0
    """Sums for the reports, all of them at once."""

    table: float = 0.0
    index: float = 0.0
    whole: float = 0.0
    """Bytes an attempt: of the table, its index, everything in the database."""

    partitions: int = 0
    reports: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Year:
    """The bundles of the sample, week by week."""

    place: Place
    bundles: list[bytes] = field(default_factory=list)
    schools: list[str] = field(default_factory=list)
    body: int = 0
    attempts: int = 0


def year_of(folder: Path, chance: random.Random) -> Year:
    """Let every device of the sample hand over once a week."""
    year = Year(create(folder / "first", "hub"))
    items = [
        (item.id.rpartition("/")[0], item.id, [harmless(option.text) for option in item.options])
        for item in (
            generate(skill, level, "es", chance)
            for skill in SKILLS
            for level in range(1, LEVELS + 1)
            for _ in range(200)
        )
    ]
    senders = []
    for school in range(SAMPLE):
        year.schools.append(f"escuela-{school}")
        for _ in range(DEVICES):
            name = f"{chance.getrandbits(64):016x}"
            head = Head(
                year.place.id,
                year.schools[-1],
                school.to_bytes(16, "big"),
                name,
                year.place.recipient,
                (),
                (("amauta", "0.1.0"),),
            )
            learners = [chance.getrandbits(62) for _ in range(LEARNERS)]
            senders.append((Ed25519PrivateKey.generate(), head, learners))
    for week in range(WEEKS):
        for key, head, learners in senders:
            rows = tuple(answers(week, learners, items, chance))
            body = encode(head, [Stream(head.stream, rows)])
            year.body += len(body)
            year.attempts += len(rows)
            year.bundles.append(seal(BUNDLE, body, key, year.place.recipient))
    return year


def answers(
    week: int, learners: list[int], items: list[tuple[str, str, list[str]]], chance: random.Random
) -> Iterator[Answer]:
    """One device's week, in the order of its days."""
    seq = week * DAYS * LEARNERS * ATTEMPTS
    for day in range(DAYS):
        at = BEGIN + (week * 7 + day * 2) * 86_400 + chance.randint(0, 3600)
        for _ in range(ATTEMPTS * LEARNERS):
            seq, at = seq + 1, at + chance.randint(1, 40)
            lesson, item, options = chance.choice(items)
            given, right = chance.choice(options), int(chance.random() < 0.7)
            yield Answer(
                seq,
                chance.choice(learners),
                lesson,
                item,
                given,
                right,
                chance.choice((0, 0, 1)),
                chance.randint(20, 600),
                at,
            )


def new_hub(folder: Path, year: Year, address: str) -> Place:
    """Make a hub that knows the schools of the sample."""
    place = create(folder, "hub", year.place, address)
    with open_database(place) as database:
        for number, school in enumerate(year.schools):
            enrol(place, database, school, number.to_bytes(16, "big"), NOW, renew=False)
    return place


def take_in(place: Place, database: Database, stick: Path) -> None:
    """One worker, as `amauta hub import` does."""
    for outcome in receive_stick(place, database, stick, NOW):
        assert outcome.state == "imported"


def one_by_one(place: Place, database: Database, bundles: list[bytes]) -> None:
    """One worker, as over HTTPS."""
    for sealed in bundles:
        receive(place, database, sealed, "x", NOW)


def two_workers(place: Place, sticks: list[Path]) -> None:
    """Two processes, half of the devices each."""
    children = []
    for stick in sticks:
        if (child := os.fork()) == 0:
            try:
                with open_database(place) as database:
                    take_in(place, database, stick)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def sticks_of(folder: Path, bundles: list[bytes], many: int) -> list[Path]:
    """Lay bundles on so many sticks."""
    sticks = [folder / f"stick-{many}-{place}" for place in range(many)]
    for place, stick in enumerate(sticks):
        if not stick.exists():
            stick.mkdir()
            on_stick(stick, bundles[place::many])
    return sticks


def seconds_of(process: int) -> float:
    """Return the processor time of another process."""
    if not process:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(deed: Callable[[], object]) -> float:
    """Return the seconds it takes."""
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def measure(folder: Path, year: Year, kind: str, new: Callable[[], str]) -> Found:
    """Let one kind of database take in the sample and report."""
    found = Found(year.attempts)
    sticks, [stick] = sticks_of(folder, year.bundles, 2), sticks_of(folder, year.bundles, 1)
    place = new_hub(folder / f"{kind}-2", year, new())
    found.two_s = timed(lambda: two_workers(place, sticks))
    with open_database(place) as database:
        assert database.rows("SELECT count(*) FROM attempts") == [(year.attempts,)]
    place = new_hub(folder / f"{kind}-alone", year, new())
    with open_database(place) as database:
        found.alone_s = timed(lambda: one_by_one(place, database, year.bundles))
    place = new_hub(folder / f"{kind}-1", year, new())
    with open_database(place) as database:
        server_process = int(database.rows("SELECT pg_backend_pid()")[0][0]) if place.address else 0
        before = time.process_time() + seconds_of(server_process)
        found.took_s = timed(lambda: take_in(place, database, stick))
        found.cpu_s = time.process_time() + seconds_of(server_process) - before
        database.execute("ANALYZE")
        sizes(place, database, found)
        found.sums_s = timed(lambda: sums.catch_up(database))
        words = words_for("edge", "es")
        for name, tables, school in (
            ("lessons", ["lessons"], ""),
            ("mistakes", ["mistakes"], ""),
            ("school", ["lessons", "mistakes"], year.schools[0]),
            ("devices", ["devices"], ""),
        ):
            report = Reports(database, place.folder, words, PERIOD, NOW, school)
            found.reports[name] = timed(lambda report=report, tables=tables: report.tables(tables))  # type: ignore[misc]
    return found


def sizes(place: Place, database: Database, found: Found) -> None:
    """See how many bytes an attempt costs."""
    if not place.address:
        database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        found.whole = place.database.stat().st_size / found.rows
        return
    sql = (
        "SELECT count(*), sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)) FROM pg_inherits "
        "JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'attempts'::regclass AND relkind = 'r'"
    )
    [(found.partitions, table, index)] = database.rows(sql)
    sql = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    [(whole,)] = database.rows(sql)
    found.table, found.index, found.whole = (float(each) / found.rows for each in (table, index, whole))


def run() -> str:
    """Return the tables."""
    before = os.getloadavg()[0]
    with TemporaryDirectory() as name, server() as started:
        folder = Path(name)
        year = year_of(folder, random.Random(1))
        found = {
            "PostgreSQL": measure(folder, year, "pg", started.database),
            "SQLite": measure(folder, year, "lite", str),
        }
    load = f"load of the machine before: {before:.1f}, after: {os.getloadavg()[0]:.1f}"
    return f"{measured(year, found)}\n\n{reckoned(year, found)}\n\n{load[0].upper()}{load[1:]}."


def measured(year: Year, found: dict[str, Found]) -> str:
    """Return what was seen."""
    pg, lite = found["PostgreSQL"], found["SQLite"]
    sealed = sum(map(len, year.bundles))
    lines = [
        f"| measured: {SAMPLE} schools, {year.attempts:,} attempts in {len(year.bundles):,} bundles | PostgreSQL | SQLite |",
        "|---|---|---|",
        f"| bundle bytes an attempt, compressed / sealed | {year.body / year.attempts:.1f} / {sealed / year.attempts:.1f} | the same |",
        f"| attempts/s, one worker | {pg.rows / pg.took_s:,.0f} | {lite.rows / lite.took_s:,.0f} |",
        f"| seconds of processor time a million attempts, one worker | {pg.cpu_s / pg.rows * 1e6:.0f} | {lite.cpu_s / lite.rows * 1e6:.0f} |",
        f"| attempts/s, two workers | {pg.rows / pg.two_s:,.0f} | {lite.rows / lite.two_s:,.0f} |",
        f"| attempts/s, one worker, bundle by bundle as over HTTPS | {pg.rows / pg.alone_s:,.0f} | {lite.rows / lite.alone_s:,.0f} |",
        f"| bytes an attempt on disk, all together | {pg.whole:.0f} | {lite.whole:.0f} |",
        f"| of them table / index | {pg.table:.0f} / {pg.index:.0f} | one tree |",
        f"| partitions | {pg.partitions} | |",
        f"| sums for the reports, attempts/s | {pg.rows / pg.sums_s:,.0f} | {lite.rows / lite.sums_s:,.0f} |",
    ]
    for report in pg.reports:
        lines.append(f"| report `{report}` | {pg.reports[report]:.2f} s | {lite.reports[report]:.2f} s |")
    return "\n".join(lines)


def reckoned(year: Year, found: dict[str, Found]) -> str:
    """Return the sample times what it stands for."""
    factor = SCHOOLS / SAMPLE
    rows = SCHOOLS * DEVICES * LEARNERS * ATTEMPTS * DAYS * WEEKS
    pg, lite = found["PostgreSQL"], found["SQLite"]
    sealed = sum(map(len, year.bundles)) * factor
    hours = {kind: rows / (each.rows / each.took_s) / 3600 for kind, each in found.items()}
    lines = [
        f"| reckoned: {SCHOOLS:,} schools, one year | PostgreSQL | SQLite |",
        "|---|---|---|",
        f"| attempts | {rows / 1e9:.2f} thousand million | the same |",
        f"| bundles / on the wire | {len(year.bundles) * factor / 1e6:.1f} million / {sealed / 1e9:.0f} GB | the same |",
        f"| disk | {rows * pg.whole / 1e12:.2f} TB | {rows * lite.whole / 1e12:.2f} TB |",
        f"| largest partition | {rows / pg.partitions * (pg.table + pg.index) / 1e9:.0f} GB | |",
        f"| hours to take in, one worker | {hours['PostgreSQL']:.0f} | {hours['SQLite']:.0f} |",
        f"| hours of processor time | {pg.cpu_s / pg.rows * rows / 3600:.0f} | {lite.cpu_s / lite.rows * rows / 3600:.0f} |",
        f"| sums for the reports, of the whole year at once | {pg.sums_s * factor / 3600:.1f} h | {lite.sums_s * factor / 3600:.1f} h |",
        f"| report `lessons` and `mistakes`, one school | {pg.reports['school']:.2f} s | {lite.reports['school']:.2f} s |",
    ]
    return "\n".join(lines)
