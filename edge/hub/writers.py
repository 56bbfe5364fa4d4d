"""Who writes under which name: the first device that does, and those that come after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.hub.arrival import Arrival
from edge.hub.database import Database
from edge.sync.errors import RefusedError
from edge.sync.facts import Stream


@dataclass(slots=True)
class Writers:
    """What is known about some streams, inside a step that names them."""

    numbers: dict[str, int]
    """Of the streams that are here, by their names."""

    cloned: set[str]
    """Those under which two contents have one name."""

    known: dict[str, set[str]]
    """The devices that wrote under a name."""

    new: list[tuple[str, str]] = field(default_factory=list)
    """(stream, device) that came to be known since."""

    schools: dict[str, str] = field(default_factory=dict)
    """Who brought a stream that is not here."""

    def admit(self, arrival: Arrival, streams: Iterable[Stream]) -> None:
        """Let a device write under the names it uses; raise RefusedError, and change nothing, where it may not."""
        mine = {}
        for name in sorted({stream.device for stream in streams}):
            # Two copies of one device both come after it: who was first heard from must not matter.
            own = name == arrival.head.stream
            mine[name] = {arrival.device} if own else {arrival.device, *arrival.ancestors}
            if (before := self.known.get(name)) and not before & mine[name]:
                raise RefusedError("stream-foreign", stream=name)
        for name, devices in mine.items():
            before = self.known.setdefault(name, set())
            self.new += ((name, device) for device in sorted(devices - before))
            before |= devices
            if name not in self.numbers:
                # The school that brings it first keeps it.
                self.schools.setdefault(name, arrival.head.school)

    def keep(self, database: Database) -> None:
        """Number the streams that are new, and write down who writes."""
        new = [(name, database.school(school)) for name, school in sorted(self.schools.items())]
        database.execute_each(("INSERT INTO streams (name, school) VALUES (?, ?) ON CONFLICT DO NOTHING", new))
        [found] = database.ask(("SELECT name, id FROM streams WHERE name IN ({marks})", [name for name, _ in new]))
        self.numbers |= dict(found)
        rows = [(self.numbers[name], device) for name, device in self.new]
        database.execute_each(("INSERT INTO writers (stream, device) VALUES (?, ?)", rows))


def known_of(database: Database, names: Iterable[str], digests: Sequence[str]) -> tuple[Writers, set[str]]:
    """Return what is known about streams, and which of these bundles are here; inside a step that names the streams."""
    asked = sorted(set(names))
    streams, writers, bundles = database.ask(
        ("SELECT name, id, cloned FROM streams WHERE name IN ({marks})", asked),
        ("SELECT name, device FROM writers JOIN streams ON streams.id = stream WHERE name IN ({marks})", asked),
        ("SELECT digest FROM bundles WHERE digest IN ({marks})", digests),
    )
    found = Writers({name: number for name, number, _ in streams}, {name for name, _, cloned in streams if cloned}, {})
    for name, device in writers:
        found.known.setdefault(name, set()).add(device)
    return found, {digest for (digest,) in bundles}
