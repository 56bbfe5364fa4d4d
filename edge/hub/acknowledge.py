"""Say to each device which of its bundles are here for good, on a stick that goes back to the schools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.hub.database import Database
from edge.hub.place import Place
from edge.hub.receive import is_cloned
from edge.sync import stick
from edge.sync.ack import MOST_DIGESTS, Ack, write


def acknowledge_on(place: Place, database: Database, stick_place: Path, schools: list[str], at: str) -> Iterator[str]:
    """Write an acknowledgement for every device heard from (of `schools`, or of all); yield each device."""
    folder = stick.folder_on(stick_place, stick.BACK)
    sql = "SELECT devices.id, recipient, code FROM devices JOIN schools ON school = schools.id ORDER BY devices.id"
    for device, recipient, school in database.rows(sql):
        if schools and school not in schools:
            continue
        stick.replace(folder, place.ack_name(device), ack_of(place, database, device, recipient))
        with database.step():
            database.audit(at, "ack", device=device, outcome="written")
        yield device


def ack_of(place: Place, database: Database, device: str, recipient: str) -> bytes:
    """Return the acknowledgement of one device, however it will travel."""
    sql = "SELECT digest FROM bundles WHERE device = ? ORDER BY at DESC, digest LIMIT ?"
    digests = tuple(digest for (digest,) in database.rows(sql, [device, MOST_DIGESTS]))
    return write(Ack(place.id, device, digests, is_cloned(database, device)), place.key(), recipient)
