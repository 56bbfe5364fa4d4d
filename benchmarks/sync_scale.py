"""Handing over at scale: bytes an attempt, seconds to export, events a second into a hub against bare SQLite."""

from __future__ import annotations

import random
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.hub.database import open_database
from edge.hub.enrolling import enrol
from edge.hub.join import join
from edge.hub.place import Place, create
from edge.hub.receive import receive
from edge.learning.attempt import stamp
from edge.learning.exercise import LEVELS, SKILLS, generate
from edge.learning.store import Store
from edge.sync import handing, papers
from edge.sync.enrolment import as_bytes
from edge.sync.ledger import Ledger

ATTEMPTS = 100_000
LEARNERS = 30
ROUNDS = 3
NOW = "2026-11-25T12:00:00.000Z"


def practised(path: Path, many: int, chance: random.Random) -> None:
    """Fill a store as a class of thirty does in two years of exercises made on the spot."""
    Store.open(path).close()
    connection = sqlite3.connect(path)
    [(device,)] = connection.execute("SELECT id FROM device")
    items = [
        generate(skill, level, "es", chance) for skill in SKILLS for level in range(1, LEVELS + 1) for _ in range(200)
    ]
    learners = [f"learner-{number}" for number in range(LEARNERS)]
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    rows = []
    for seq in range(1, many + 1):
        item = chance.choice(items)
        given = chance.choice(item.options).text
        at += timedelta(milliseconds=chance.randint(500, 9000))
        seconds = round(chance.uniform(2, 60), 1)
        facts = ("/".join(item.id.split("/")[:2]), item.id)
        rows.append(
            (device, seq, chance.choice(learners), *facts, given, 1, chance.choice((0, 0, 1, 2)), seconds, stamp(at))
        )
    connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')", rows)
    connection.commit()
    connection.close()


def bare(source: Place, target: Path) -> float:
    """Return the seconds a bare executemany of the same rows takes, in one step that is as safe on the disk."""
    columns = "stream, seq, copy, learner, lesson, item, given, correct, hints, tenths, at"
    with open_database(source) as database:
        rows = database.rows(f"SELECT {columns} FROM attempts")
    connection = sqlite3.connect(target, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE attempts (stream INTEGER, seq INTEGER, copy INTEGER, learner INTEGER, lesson INTEGER, item TEXT, "
        "given TEXT, correct INTEGER, hints INTEGER, tenths INTEGER, at INTEGER, PRIMARY KEY (stream, seq, copy)) WITHOUT ROWID"
    )
    begun = time.perf_counter()
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO attempts VALUES ({', '.join('?' * 11)})", rows)
    connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return took


def measure(folder: Path, many: int = ATTEMPTS, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the figures, the best of a few rounds: this machine may be busy."""
    chance = random.Random(1)
    home, stick = folder / "device", folder / "stick"
    stick.mkdir()
    practised(home / "amauta.db", many, chance)
    first = create(folder / "hub", "hub")
    with open_database(first) as database:
        given = as_bytes(enrol(first, database, "escuela-1", bytes(16), NOW, renew=False))
    exports, opened, ingests, bares = [], [], [], []
    with Ledger(home / "amauta.db") as ledger:
        held = papers.enrol(home, given, ledger, random.SystemRandom())
        for _ in range(rounds):
            begun = time.perf_counter()
            bundles = handing.prepare(ledger, held, {"amauta": "0.1.0"}, turns=False)
            handing.export(stick, ledger, held, bundles, NOW, random.SystemRandom())
            exports.append(time.perf_counter() - begun)
    for number in range(rounds):
        hub = create(folder / f"hub-{number}", "hub", first)
        with open_database(hub) as database, open_database(first) as other:
            join(database, other, NOW)
            begun = time.perf_counter()
            new = sum(receive(hub, database, bundle.sealed, "x", NOW).new for bundle in bundles)
            ingests.append(time.perf_counter() - begun)
        with open_database(create(folder / f"alone-{number}", "hub", first)) as database:
            begun = time.perf_counter()
            with database.step():
                for bundle in bundles:
                    for stream in bundle.made.streams:
                        database.add(stream, database.stream(stream.device, database.school("escuela-1")))
            opened.append(time.perf_counter() - begun)
        assert new == many
        bares.append(bare(hub, folder / f"bare-{number}.db"))
    return {
        "export_s": min(exports),
        "bytes": sum(bundle.body_bytes for bundle in bundles) / many,
        "sealed": sum(len(bundle.sealed) for bundle in bundles) / many,
        "ingest": many / min(ingests),
        "unite": many / min(opened),
        "bare": many / min(bares),
        "disk": (folder / "hub-0" / "hub.db").stat().st_size / many,
    }


def run() -> str:
    """Return the table."""
    with TemporaryDirectory() as folder:
        found = measure(Path(folder))
    return (
        "| what | figure |\n|---|---|\n"
        f"| export of {ATTEMPTS:,} attempts, written to a folder | {found['export_s']:.2f} s |\n"
        f"| compressed bytes an attempt | {found['bytes']:.1f} |\n"
        f"| bytes an attempt on the stick, filled up and sealed | {found['sealed']:.1f} |\n"
        f"| hub, whole import (open, verify, unfold, check, unite, audit) | {found['ingest']:,.0f} attempts/s |\n"
        f"| hub, uniting alone | {found['unite']:,.0f} attempts/s |\n"
        f"| bare `executemany` of the same rows | {found['bare']:,.0f} attempts/s |\n"
        f"| whole import against bare | {found['ingest'] / found['bare']:.2f} |\n"
        f"| uniting against bare | {found['unite'] / found['bare']:.2f} |\n"
        f"| hub's disk an attempt | {found['disk']:.0f} bytes |"
    )
