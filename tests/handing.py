"""A school and a district to try handing over with: real homes, real keys, real sticks (folders)."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.hub.acknowledge import acknowledge_on
from edge.hub.database import open_database
from edge.hub.enrolling import enrol as enrol_school
from edge.hub.group import Outcome
from edge.hub.place import Place, create
from edge.hub.receive import receive_stick
from edge.learning.attempt import stamp
from edge.learning.store import Store, last_number
from edge.sync import handing
from edge.sync import papers as papers_of
from edge.sync.bundle import MOST_FACTS
from edge.sync.enrolment import as_bytes
from edge.sync.ledger import Ledger, States
from edge.sync.merge import State, merge, state_of
from edge.sync.papers import Papers
from edge.sync.seal import LARGEST_SEALED

NOW = "2026-11-25T12:00:00.000Z"
BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


@contextmanager
def quick_folder(slow: Path) -> Iterator[Path]:
    """Give a folder in memory where the system has one: thousands of fsyncs take minutes on a busy disk."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        yield slow
        return
    with TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@dataclass(slots=True)
class Device:
    """One laptop of a school."""

    home: Path
    chance: random.Random = field(default_factory=random.Random)

    @property
    def path(self) -> Path:
        return self.home / "amauta.db"

    def practise(self, many: int, learners: tuple[str, ...] = ("ana", "beto", "cira", "dora", "eva", "fito")) -> None:
        """Answer exercises, as a class would; all in one step, which is faster than one by one."""
        Store.open(self.path, self.chance).close()
        connection = sqlite3.connect(self.path, isolation_level=None)
        [(device,)] = connection.execute("SELECT id FROM device ORDER BY rowid DESC LIMIT 1")
        last = last_number(connection, "attempts", device)
        connection.execute("BEGIN")
        rows = (self._row(device, last + number, learners) for number in range(1, many + 1))
        try:
            connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')", rows)
            connection.execute("COMMIT")
        finally:
            connection.close()

    def _row(self, device: str, seq: int, learners: tuple[str, ...]) -> tuple[str | int | float, ...]:
        chance = self.chance
        a, b = chance.randint(11, 89), chance.randint(11, 89)
        right = chance.random() < 0.7
        given = str(a + b if right else a + b + 10)
        facts = (
            chance.choice((0, 0, 0, 1, 2)),
            round(chance.uniform(2, 40), 1),
            stamp(BEGIN + timedelta(seconds=20 * seq)),
        )
        item = f"exercise/add-2/{a}+{b}"
        return (device, seq, chance.choice(learners), "exercise/add-2", item, given, int(right), *facts)

    def papers(self, ledger: Ledger) -> Papers:
        return papers_of.papers(self.home, ledger, self.chance)

    def enrol(self, content: bytes) -> None:
        with Ledger(self.path) as ledger:
            papers_of.enrol(self.home, content, ledger, self.chance)

    def export(
        self,
        stick: Path,
        *,
        turns: bool = False,
        everything: bool = False,
        most: int = MOST_FACTS,
        limit: int = LARGEST_SEALED,
    ) -> list[str]:
        with Ledger(self.path) as ledger:
            papers = self.papers(ledger)
            sizes = {"limit": limit, "most": most}
            bundles = handing.prepare(ledger, papers, {"amauta": "0.1.0"}, turns=turns, everything=everything, **sizes)
            # Names from the system: a process that is forked and killed must not draw them twice.
            return handing.export(stick, ledger, papers, bundles, NOW, random.SystemRandom())

    def take_back(self, stick: Path) -> handing.Taken:
        with Ledger(self.path) as ledger:
            return handing.take_back(stick, ledger, self.papers(ledger), NOW)

    def renew(self) -> None:
        with Ledger(self.path) as ledger:
            papers_of.renew(self.home, ledger, self.chance)

    def states(self) -> States:
        with Ledger(self.path) as ledger:
            return ledger.states(self.papers(ledger).enrolment.hub, turns=False)


@dataclass(slots=True)
class Hub:
    """One laptop of a district."""

    place: Place

    @classmethod
    def made(cls, folder: Path, twin: Hub | None = None, address: str = "") -> Hub:
        return cls(create(folder, "distrito", twin.place if twin else None, address))

    def enrolment(self, school: str = "escuela-1", *, renew: bool = False) -> bytes:
        with open_database(self.place) as database:
            token = random.SystemRandom().randbytes(16)
            return as_bytes(enrol_school(self.place, database, school, token, NOW, renew=renew))

    def receive(self, stick: Path) -> list[Outcome]:
        with open_database(self.place) as database:
            return list(receive_stick(self.place, database, stick, NOW))

    def acknowledge(self, stick: Path) -> list[str]:
        with open_database(self.place) as database:
            return list(acknowledge_on(self.place, database, stick, [], NOW))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with open_database(self.place) as database:
            return database.rows(sql)

    def dump(self) -> list[tuple[object, ...]]:
        """Everything in every table: what a refusal must leave as it was."""
        tables = [
            "schools",
            "tokens",
            "devices",
            "streams",
            "writers",
            "bundles",
            "words",
            "attempts",
            "turns",
            "erased",
            "learners",
            "audit",
            "people",
        ]
        return [row for table in tables for row in sorted(self.rows(f"SELECT * FROM {table}"))]

    def state(self) -> State:
        """What this hub knows, as the pure core writes it."""
        with open_database(self.place) as database:
            found = State()
            for _, _, stream in database.streams():
                found = merge(found, state_of([stream]))
            return found


def sealed_by(device: Device, many: int = 20) -> bytes:
    """Practise, and return the bundle of it, sealed."""
    device.practise(many)
    with Ledger(device.path) as ledger:
        (bundle,) = handing.prepare(ledger, device.papers(ledger), {"amauta": "0.1.0"}, turns=False)
        return bundle.sealed
