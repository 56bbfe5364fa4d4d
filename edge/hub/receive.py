"""Take in what lies on a stick: judge who wrote each file, unite what may come in, write down the rest.

A file is opened in this order: name and kind, size, decryption, signature, head, right to deliver, facts.
Each step is reached only when the one before found nothing wrong; every refusal is audited with its reason.
Many small bundles are kept in one step, for each step waits for the disk; each is judged by itself, and told
about when it is kept for good.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge.hub.arrival import Arrival, arrival
from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.group import Outcome, Ready, keep
from edge.hub.place import Place
from edge.hub.rights import Rights, rights_of
from edge.sync import stick
from edge.sync.errors import RefusedError

FILES_AT_ONCE, BYTES_AT_ONCE = 100, 8 << 20
"""Files that are in memory together, at most; one that is larger is alone."""

FACTS_AT_ONCE = 50_000
"""When so many wait, they are kept."""


def receive_stick(place: Place, database: Database, stick_place: Path, at: str) -> Iterator[Outcome]:
    """Take in every file on a stick, many at a time; what is yielded is kept for good."""
    for files in _together(stick.found_in(stick.folder_on(stick_place, stick.OUT))):
        opened = deque(_opened(place, found) for found in files)
        rights = rights_of(database, [each for each in opened if isinstance(each, Arrival)])
        while opened:
            with _no_search_for_cycles():
                outcomes = _take(database, rights, opened, at)
            yield from outcomes


def receive(place: Place, database: Database, sealed: bytes, shown: str, at: str) -> Outcome:
    """Take in one bundle, whoever carried it; raise RefusedError, and change nothing, when it may not come in."""
    arrived = arrival(place, sealed, shown)
    rights = rights_of(database, [arrived])
    with _no_search_for_cycles():
        return _take_one(database, rights, arrived, at)


def _take_one(database: Database, rights: Rights, arrived: Arrival, at: str) -> Outcome:
    [outcome] = keep(database, [_ready(rights, arrived)], at, is_raised=True)
    return outcome


def _take(database: Database, rights: Rights, opened: deque[Arrival | Outcome], at: str) -> list[Outcome]:
    """Take in as many as one step holds. A function of its own: its rows are gone when it returns."""
    group: list[Ready | Outcome] = []
    facts = 0
    while opened and facts < FACTS_AT_ONCE:
        each = opened.popleft()
        group.append(_judged(rights, each) if isinstance(each, Arrival) else each)
        facts += group[-1].facts
    try:
        return keep(database, group, at)
    except HubError:
        if len(group) == 1:
            raise
        # One at a time: what it does not let in keeps nobody else out.
        return [outcome for each in group for outcome in keep(database, [each], at)]


def refuse(database: Database, outcome: Outcome, at: str) -> None:
    """Write down a refusal with its reason."""
    keep(database, [outcome], at)


def is_cloned(database: Database, device: str) -> bool:
    """Tell whether another device writes under the name that this one uses now."""
    sql = "SELECT cloned FROM streams JOIN devices ON stream = streams.name WHERE devices.id = ?"
    return database.rows(sql, [device]) == [(1,)]


def _together(files: Sequence[stick.Found]) -> Iterator[list[stick.Found]]:
    """Yield files that are opened together."""
    some: list[stick.Found] = []
    for found in files:
        if some and (len(some) == FILES_AT_ONCE or sum(each.size for each in [*some, found]) > BYTES_AT_ONCE):
            yield some
            some = []
        some.append(found)
    if some:
        yield some


def _opened(place: Place, found: stick.Found) -> Arrival | Outcome:
    try:
        return arrival(place, stick.read(found), found.shown)
    except RefusedError as error:
        # A stick pulled out too early is nobody's attack.
        half = not found.listed and error.key in ("sealed-damaged", "sealed-not-age")
        return Outcome(found.shown, "unfinished" if half else "refused", error=error)


def _judged(rights: Rights, arrived: Arrival) -> Ready | Outcome:
    try:
        return _ready(rights, arrived)
    except RefusedError as error:
        return Outcome(arrived.shown, "refused", error=error)


def _ready(rights: Rights, arrived: Arrival) -> Ready | Outcome:
    """Read the facts of a bundle that may come in, unless it is here already; raise RefusedError when it may not."""
    rights.judge(arrived)
    if arrived.digest in rights.digests:
        return Outcome(arrived.shown, "repeated", arrived.device)
    streams = arrived.facts()
    rights.know(arrived)
    return Ready(arrived, streams, sum(stream.count() for stream in streams))


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows hold no cycles; looking for some in each hundred thousand of them takes as long as reading them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
