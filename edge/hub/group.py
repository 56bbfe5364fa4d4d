"""Bundles that are kept in one step: each of them whole or not at all, and a power cut leaves all or none.

Each step waits for the disk, so many small bundles share one. A bundle that may not come in is left out of
it, and only that one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edge.hub.arrival import Arrival
from edge.hub.database import AUDIT, Database
from edge.hub.union import Portion, unite
from edge.hub.writers import Writers, known_of
from edge.sync.errors import RefusedError
from edge.sync.facts import Stream

State = Literal["imported", "repeated", "refused", "unfinished"]

_DEVICE = (
    "INSERT INTO devices (id, public, school, recipient, stream, heard, versions) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET school = excluded.school, recipient = excluded.recipient, "
    "stream = excluded.stream, heard = excluded.heard, versions = excluded.versions"
)
_AFTER = "UPDATE devices SET after = ? WHERE id = ?"
_BUNDLE = "INSERT INTO bundles (digest, device, facts, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    file: str
    state: State
    device: str = ""
    facts: int = 0
    new: int = 0
    cloned: bool = False
    error: RefusedError | None = None

    def detail(self) -> str:
        """Return what the audit says about it."""
        if self.error:
            return f"{self.error.key}: {self.error.say('en').splitlines()[0]}"[:300]
        return f"{self.facts} facts, {self.new} new" if self.state == "imported" else ""


@dataclass(frozen=True, slots=True)
class Ready:
    """A bundle that may come in."""

    arrival: Arrival
    streams: tuple[Stream, ...]
    facts: int


def keep(database: Database, group: Sequence[Ready | Outcome], at: str, *, is_raised: bool = False) -> list[Outcome]:
    """Keep a group for good and audit it; with `is_raised`, raise a refusal, and change nothing."""
    ready = [each for each in group if isinstance(each, Ready)]
    streams = [stream for each in ready for stream in each.streams]
    devices = {device for each in ready for device in (each.arrival.device, *each.arrival.ancestors)}
    with database.step(streams, devices):
        found = iter(_unite(database, ready))
        outcomes = [next(found) if isinstance(each, Ready) else each for each in group]
        for error in [outcome.error for outcome in outcomes if outcome.error and is_raised]:
            raise error
        pairs = zip(group, outcomes, strict=True)
        kept = [each for each, outcome in pairs if isinstance(each, Ready) and outcome.state == "imported"]
        database.execute_each(*_memories(database, kept, at), (AUDIT, [_audited(each, at) for each in outcomes]))
    return outcomes


def _audited(outcome: Outcome, at: str) -> list[str]:
    return [at, "import", outcome.file, outcome.device, outcome.state, outcome.detail()]


def _unite(database: Database, ready: Sequence[Ready]) -> list[Outcome]:
    """Unite bundles, the earlier ones first."""
    names = {stream.device for each in ready for stream in each.streams} | {each.arrival.head.stream for each in ready}
    writers, digests = known_of(database, names, [each.arrival.digest for each in ready])
    left_out = [_left_out(writers, digests, each) for each in ready]
    writers.keep(database)
    portions = [
        [Portion(stream, writers.numbers[stream.device]) for stream in each.streams] if outcome is None else []
        for each, outcome in zip(ready, left_out, strict=True)
    ]
    unite(database, [portion for some in portions for portion in some])
    cloned = writers.cloned | {portion.stream.device for some in portions for portion in some if portion.cloned}
    return [
        outcome or _imported(each, sum(portion.new for portion in some), each.arrival.head.stream in cloned)
        for each, outcome, some in zip(ready, left_out, portions, strict=True)
    ]


def _left_out(writers: Writers, digests: set[str], ready: Ready) -> Outcome | None:
    """Return what becomes of a bundle that does not come in."""
    arrival = ready.arrival
    if arrival.digest in digests:
        return Outcome(arrival.shown, "repeated", arrival.device)
    try:
        writers.admit(arrival, ready.streams)
    except RefusedError as error:
        return Outcome(arrival.shown, "refused", error=error)
    digests.add(arrival.digest)
    return None


def _imported(ready: Ready, new: int, cloned: bool) -> Outcome:
    return Outcome(ready.arrival.shown, "imported", ready.arrival.device, ready.facts, new, cloned)


def _memories(database: Database, kept: Sequence[Ready], at: str) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return what remembers when and with what each device was last heard from, and which bundles are here."""
    devices: list[tuple[Any, ...]] = []
    ancestors: list[tuple[Any, ...]] = []
    bundles: list[tuple[Any, ...]] = []
    for each in kept:
        arrival, head = each.arrival, each.arrival.head
        school, versions = database.school(head.school), json.dumps(dict(head.versions))
        devices.append((arrival.device, arrival.public, school, head.recipient, head.stream, at, versions))
        ancestors += ((arrival.device, ancestor) for ancestor in arrival.ancestors)
        bundles.append((arrival.digest, arrival.device, each.facts, at))
    return [(_DEVICE, devices), (_AFTER, ancestors), (_BUNDLE, bundles)]
