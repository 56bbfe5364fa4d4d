"""A hub takes bundles in, in SQLite and in PostgreSQL, beside a bare COPY and a bare executemany of the same rows."""

from __future__ import annotations

import io
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.sync_scale import NOW, practised
from edge.hub.database import Database, open_database
from edge.hub.enrolling import enrol
from edge.hub.place import Place, create
from edge.hub.receive import receive, receive_stick
from edge.sync import handing, papers, stick
from edge.sync.enrolment import as_bytes
from edge.sync.facts import Stream
from edge.sync.ledger import Ledger

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from postgres import Server, server

ATTEMPTS = 100_000
ROUNDS = int(os.environ.get("INGEST_ROUNDS", "7"))
SMALL = 1000
"""Attempts in a bundle of a week or two."""

COLUMNS = "seq, learner, at, stream, copy, lesson, tenths, hints, correct, item, given"


@dataclass(slots=True)
class Given:
    """What is handed over."""

    place: Place
    whole: list[bytes]
    portions: list[bytes]
    stick: Path
    """With the same portions."""

    streams: list[Stream]


@dataclass(slots=True)
class Timed:
    """Seconds of every round, by what was done."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, deed: Callable[[], object]) -> None:
        begun = time.perf_counter()
        deed()
        self.seconds.setdefault(name, []).append(time.perf_counter() - begun)

    def rate(self, name: str) -> float:
        """Return the median of attempts a second."""
        return ATTEMPTS / median(self.seconds[name])

    def against(self, name: str, peer: str) -> float:
        """Return the median of the ratios within each round: what else the machine does then slows both."""
        pairs = zip(self.seconds[name], self.seconds[peer], strict=True)
        return median(bare / own for own, bare in pairs)


def given(folder: Path) -> Given:
    """Make what one device hands over: all at once, and in portions."""
    home = folder / "device"
    practised(home / "amauta.db", ATTEMPTS, random.Random(1))
    place = create(folder / "first", "hub")
    with open_database(place) as database:
        enrolment = as_bytes(enrol(place, database, "escuela-1", bytes(16), NOW, renew=False))
    with Ledger(home / "amauta.db") as ledger:
        held = papers.enrol(home, enrolment, ledger, random.SystemRandom())
        whole = handing.prepare(ledger, held, {"amauta": "0.1.0"}, turns=False)
        portions = handing.prepare(ledger, held, {"amauta": "0.1.0"}, turns=False, most=SMALL)
    streams = [stream for bundle in whole for stream in bundle.made.streams]
    (folder / "stick").mkdir()
    small = [bundle.sealed for bundle in portions]
    return Given(place, [bundle.sealed for bundle in whole], small, on_stick(folder / "stick", small), streams)


@contextmanager
def hub(folder: Path, found: Given, address: str) -> Iterator[tuple[Place, Database]]:
    """A hub that knows the school, and had a delivery from another device with the same lessons in the same month."""
    with TemporaryDirectory(dir=folder) as name:
        place = create(Path(name) / "hub", "hub", found.place, address)
        with open_database(place) as database:
            enrol(place, database, "escuela-1", bytes(16), NOW, renew=False)
            unite(database, [Stream("e" * 16, found.streams[0].attempts[:2000])])
            yield place, database


def unite(database: Database, streams: list[Stream]) -> None:
    """Decoded streams to rows that are there for good."""
    with database.step(streams):
        for stream in streams:
            database.add(stream, database.stream(stream.device, database.school("escuela-1")))


def take_in(place: Place, database: Database, bundles: list[bytes]) -> None:
    """Sealed bytes to rows that are there for good, one by one as they come over HTTPS."""
    for sealed in bundles:
        receive(place, database, sealed, "x", NOW)


def on_stick(folder: Path, bundles: list[bytes]) -> Path:
    """Lay bundles on a stick, which here is a folder."""
    stick.write(stick.folder_on(folder, stick.OUT), bundles, random.Random(1))
    return folder


def take_in_stick(place: Place, database: Database, folder: Path) -> None:
    """Files on a stick to rows that are there for good, as `amauta hub import` does."""
    assert sum(outcome.new for outcome in receive_stick(place, database, folder, NOW)) == ATTEMPTS


def measure(folder: Path, found: Given, name: str, new: Callable[[], str], timed: Timed) -> list[tuple[object, ...]]:
    """Measure one kind of database once; return its rows."""
    with hub(folder, found, new()) as (_, database):
        timed.add(f"{name} unite", lambda: unite(database, found.streams))
    with hub(folder, found, new()) as (place, database):
        timed.add(f"{name} stick", lambda: take_in_stick(place, database, found.stick))
    with hub(folder, found, new()) as (place, database):
        timed.add(f"{name} portions", lambda: take_in(place, database, found.portions))
    with hub(folder, found, new()) as (place, database):
        timed.add(f"{name} whole", lambda: take_in(place, database, found.whole))
        rows = database.rows(f"SELECT {COLUMNS} FROM attempts WHERE stream = (SELECT max(id) FROM streams)")
        assert len(rows) == ATTEMPTS
        return rows


def bare_copy(started: Server, rows: list[tuple[object, ...]], timed: Timed) -> None:
    """The same rows, ready as text, into a table of the same shape with the same index."""
    text = io.BytesIO("".join("\t".join(map(str, row)) + "\n" for row in rows).encode()).getvalue()
    with psycopg.connect(started.database(), autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bare (seq BIGINT NOT NULL, learner BIGINT NOT NULL, at BIGINT NOT NULL, stream INTEGER NOT NULL, "
            "copy INTEGER NOT NULL, lesson INTEGER NOT NULL, tenths INTEGER NOT NULL, hints SMALLINT NOT NULL, "
            'correct SMALLINT NOT NULL, item TEXT COLLATE "C" NOT NULL, given TEXT COLLATE "C" NOT NULL)'
        )
        cursor.execute("CREATE UNIQUE INDEX ON bare (stream, seq, copy)")

        def copy() -> None:
            with cursor.copy(f"COPY bare ({COLUMNS}) FROM STDIN".encode()) as to:
                to.write(text)

        timed.add("copy", copy)


def bare_executemany(folder: Path, rows: list[tuple[object, ...]], timed: Timed) -> None:
    """The same rows into a table of the same shape, in one step that is as safe on the disk."""
    with TemporaryDirectory(dir=folder) as name:
        connection = sqlite3.connect(Path(name) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        types = ", ".join(
            f"{column} {'TEXT' if column in ('item', 'given') else 'INTEGER'}" for column in COLUMNS.split(", ")
        )
        connection.execute(f"CREATE TABLE bare ({types}, PRIMARY KEY (stream, seq, copy)) WITHOUT ROWID")

        def insert() -> None:
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * 11)})", rows)
            connection.execute("COMMIT")

        timed.add("executemany", insert)
        connection.close()


def run() -> str:
    """Return the table."""
    timed = Timed()
    before = os.getloadavg()[0]
    with TemporaryDirectory() as name, server() as started:
        folder = Path(name)
        found = given(folder)
        for _ in range(ROUNDS):
            bare_copy(started, measure(folder, found, "PostgreSQL", started.database, timed), timed)
            bare_executemany(folder, measure(folder, found, "SQLite", str, timed), timed)
    lines = [
        "| what | attempts/s | of bare COPY | of bare `executemany` |",
        "|---|---|---|---|",
        f"| bare COPY, PostgreSQL | {timed.rate('copy'):,.0f} | 1 | |",
        f"| bare `executemany`, SQLite | {timed.rate('executemany'):,.0f} | {timed.against('executemany', 'copy'):.2f} | 1 |",
    ]
    deeds = {
        "unite": "decoded bundle to rows",
        "whole": "sealed bundle of 100,000 to rows",
        "stick": f"sealed bundles of {SMALL:,} from a stick to rows",
        "portions": f"sealed bundles of {SMALL:,}, one by one as over HTTPS, to rows",
    }
    for kind in ("PostgreSQL", "SQLite"):
        for deed, said in deeds.items():
            each = f"{kind} {deed}"
            other = f"{timed.against(each, 'executemany'):.2f}" if kind == "SQLite" else ""
            lines.append(f"| {kind}: {said} | {timed.rate(each):,.0f} | {timed.against(each, 'copy'):.2f} | {other} |")
    lines.append(
        f"\nMedians of {ROUNDS} rounds, in turn; load of the machine before: {before:.1f}, after: {os.getloadavg()[0]:.1f}."
    )
    return "\n".join(lines)
