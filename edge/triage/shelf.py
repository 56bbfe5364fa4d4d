"""Which decision tables there are: those that ship, and those a health authority added on this device.

A table of the same id in the device's own folder stands in for the one that ships.
"""

from __future__ import annotations

from pathlib import Path

from edge.settings import Settings
from edge.triage.check import check
from edge.triage.errors import TriageError
from edge.triage.parts import Table
from edge.triage.table import read_table

EMBEDDED = Path(__file__).parent.parent / "clinic" / "tables"
"""The tables that ship with Amauta."""


def own_folder(settings: Settings) -> Path:
    """Return where tables that were added on this device lie."""
    return settings.home / "clinic" / "tables"


def table_files(settings: Settings) -> list[Path]:
    """Return the file of every table, by name; the device's own one in place of one of the same name that ships."""
    found: dict[str, Path] = {}
    for folder in (EMBEDDED, own_folder(settings)):
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return [found[name] for name in sorted(found)]


def find_table(name: str, settings: Settings) -> Table:
    """Return the table named `name`, or refuse; one that its check complains about may not be used."""
    for path in table_files(settings):
        if path.stem == name:
            table = read_table(path)
            if complaints := check(table):
                raise TriageError("table-broken", path=path, count=len(complaints))
            return table
    raise TriageError("table-unknown", table=name[:60])
