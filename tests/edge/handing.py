"""A school and a district to try handing over with: real homes, real keys, real sticks (folders)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.hub.acknowledge import acknowledge_on
from edge.hub.database import Database
from edge.hub.enrolling import enrol as enrol_school
from edge.hub.place import Place, create
from edge.hub.receive import Outcome, receive_stick
from edge.learning.attempt import stamp
from edge.learning.store import Store
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


@dataclass(slots=True)
class Device:
    """One laptop of a school."""

    home: Path
    chance: random.Random = field(default_factory=random.Random)

    @property
    def path(self) -> Path:
        return self.home / "amauta.db"

    def practise(self, many: int, learners: tuple[str, ...] = ("ana", "beto", "cira", "dora", "eva", "fito")) -> None:
        """Answer exercises, as a class would."""
        with Store.open(self.path, self.chance) as store:
            for _ in range(many):
                number = store.attempt_count()
                a, b = self.chance.randint(11, 89), self.chance.randint(11, 89)
                right = self.chance.random() < 0.7
                store.append_attempt(
                    learner=self.chance.choice(learners),
                    lesson="exercise/add-2",
                    item=f"exercise/add-2/{a}+{b}",
                    given=str(a + b if right else a + b + 10),
                    right=right,
                    hints=self.chance.choice((0, 0, 0, 1, 2)),
                    seconds=round(self.chance.uniform(2, 40), 1),
                    at=stamp(BEGIN + timedelta(seconds=20 * number)),
                )

    def papers(self, ledger: Ledger) -> Papers:
        return papers_of.papers(self.home, ledger, self.chance)

    def enrol(self, content: bytes) -> None:
        with Ledger(self.path) as ledger:
            papers_of.enrol(self.home, content, ledger, self.chance)

    def export(
        self, stick: Path, *, turns: bool = False, most: int = MOST_FACTS, limit: int = LARGEST_SEALED
    ) -> list[str]:
        with Ledger(self.path) as ledger:
            papers = self.papers(ledger)
            bundles = handing.prepare(ledger, papers, {"amauta": "0.1.0"}, turns=turns, limit=limit, most=most)
            return handing.export(stick, ledger, papers, bundles, NOW, self.chance)

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
    def made(cls, folder: Path, twin: Hub | None = None) -> Hub:
        return cls(create(folder, "distrito", twin.place if twin else None))

    def enrolment(self, school: str = "escuela-1", *, renew: bool = False) -> bytes:
        with Database(self.place.database) as database:
            token = random.SystemRandom().randbytes(16)
            return as_bytes(enrol_school(self.place, database, school, token, NOW, renew=renew))

    def receive(self, stick: Path) -> list[Outcome]:
        with Database(self.place.database) as database:
            return list(receive_stick(self.place, database, stick, NOW))

    def acknowledge(self, stick: Path) -> list[str]:
        with Database(self.place.database) as database:
            return list(acknowledge_on(self.place, database, stick, [], NOW))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with Database(self.place.database) as database:
            return database.rows(sql)

    def state(self) -> State:
        """What this hub knows, as the pure core writes it."""
        with Database(self.place.database) as database:
            found = State()
            for _, _, stream in database.streams():
                found = merge(found, state_of([stream]))
            return found
