"""What is out there: schools, devices, what runs on them, what they delivered and what was refused.

Nothing here is about learners; how much a device handed over is not shown, for it may be one child's.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Formatter
from typing import Literal

from edge.hub.database import Database
from edge.hub.reports.catalogue import plain
from edge.hub.reports.table import Cell, Column, Table, number, text
from edge.words import Words

SILENT_DAYS = 30
MOST_ROWS = 500
"""Of deliveries and refusals, the last ones."""

State = Literal["fine", "silent", "cloned", "renewed", "revoked"]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device."""

    school: str
    device: str
    heard: str
    days: int
    """Since it was last heard from."""

    state: State
    versions: dict[str, str]


def devices(database: Database, now: str, school: str = "") -> list[DeviceRow]:
    """Return every device, or those of one school, the one not heard from for longest first."""
    rows = database.rows(
        "SELECT code, devices.id, heard, versions, after, devices.revoked, coalesce(cloned, 0) FROM devices "
        "JOIN schools ON schools.id = devices.school LEFT JOIN streams ON streams.name = devices.stream "
        "WHERE ? IN ('', code) ORDER BY heard, devices.id",
        [school],
    )
    found = []
    for code, device, heard, versions, after, revoked, cloned in rows:
        days = days_between(heard, now)
        state: State = "silent" if days > SILENT_DAYS else "fine"
        state = "revoked" if revoked else "renewed" if after else "cloned" if cloned else state
        found.append(DeviceRow(code, device, heard, days, state, json.loads(versions)))
    return found


def device_table(rows: list[DeviceRow], words: Words) -> Table:
    """Return the devices as a table."""
    cells = [
        (row.school, row.device, day(row.heard), row.days, words.say(f"reports.state.{row.state}"), _app(row))
        for row in rows
    ]
    columns = (text("school"), text("device"), text("heard"), number("days"), text("state"), text("version"))
    return Table("devices", columns, tuple(cells), tuple(row.school for row in rows))


def version_table(rows: list[DeviceRow], words: Words) -> Table:
    """Return what runs in the field: how many devices have each version of app, packs and models."""
    counts: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.state not in ("revoked", "renewed"):
            for name, version in row.versions.items():
                counts[name, version] += 1
                where[name, version].add(row.school)
    cells = []
    for (name, version), many in sorted(counts.items()):
        kind, _, rest = name.partition(":")
        said = words.say(f"reports.kind.{kind}") if words.has(f"reports.kind.{kind}") else plain(kind)
        cells.append((f"{said} {plain(rest)}".strip(), plain(version), many, len(where[name, version])))
    return Table("versions", (text("part"), text("version"), number("devices"), number("schools")), tuple(cells))


def delivery_table(database: Database, school: str = "") -> Table:
    """Return the last deliveries, the newest first."""
    rows = database.rows(
        "SELECT bundles.at, code, bundles.device FROM bundles JOIN devices ON devices.id = bundles.device "
        "JOIN schools ON schools.id = devices.school WHERE ? IN ('', code) "
        "ORDER BY bundles.at DESC, bundles.digest LIMIT ?",
        [school, MOST_ROWS],
    )
    cells = tuple((moment(at), code, device) for at, code, device in rows)
    return Table("deliveries", (text("at"), text("school"), text("device")), cells, tuple(row[1] for row in rows))


def refused_table(database: Database, words: Words) -> Table:
    """Return the last files that were not taken in, the newest first, and what to do."""
    rows = database.rows(
        "SELECT at, file, outcome, detail FROM audit WHERE deed = 'import' AND outcome IN ('refused', 'unfinished') "
        "ORDER BY id DESC LIMIT ?",
        [MOST_ROWS],
    )
    cells = []
    for at, file, outcome, detail in rows:
        cells.append((moment(at), plain(file), words.say(f"reports.outcome.{outcome}"), *_reason(detail, words)))
    columns = (text("at"), text("file"), text("outcome"), text("reason"), text("do"))
    return Table("refused", columns, tuple(cells))


def refused_since(database: Database, at: str) -> int:
    """Return how many files were refused since then."""
    sql = "SELECT count(*) FROM audit WHERE deed = 'import' AND outcome = 'refused' AND at >= ?"
    return int(database.rows(sql, [at])[0][0])


def never_delivered(database: Database) -> list[str]:
    """Return the schools that were enrolled and from which nothing ever came."""
    sql = "SELECT code FROM schools WHERE id NOT IN (SELECT school FROM devices) ORDER BY code"
    return [code for (code,) in database.rows(sql)]


def school_table(
    learned: dict[str, tuple[Cell, ...]], columns: tuple[Column, ...], rows: list[DeviceRow], words: Words
) -> Table:
    """Return every school; `learned` are the cells of what its learners did, by code."""
    count: Counter[str] = Counter()
    last: dict[str, DeviceRow] = {}
    for row in sorted(rows, key=lambda row: row.heard):
        count[row.school] += row.state not in ("revoked", "renewed")
        last[row.school] = row
    cells: list[tuple[Cell, ...]] = []
    for code, done in learned.items():
        heard = last[code].heard if code in last else ""
        state = "never" if not heard else "silent" if last[code].days > SILENT_DAYS else "fine"
        cells.append((code, *done, count[code], day(heard), words.say(f"reports.school-state.{state}")))
    named = (text("school"), *columns, number("devices"), text("heard"), text("state"))
    return Table("schools", named, tuple(cells), tuple(learned))


def day(at: str) -> str:
    """Return the date of a time, as people and spreadsheets write it."""
    return at[:10]


def moment(at: str) -> str:
    """Return date and time to the minute."""
    return at[:16].replace("T", " ")


def days_between(at: str, now: str) -> int:
    """Return the whole days from one time to another, 0 when the first is none."""
    try:
        return max(0, (datetime.fromisoformat(now) - datetime.fromisoformat(at)).days)
    except ValueError:
        return 0


def days_before(at: str, days: int) -> str:
    """Return the day that was so many days before."""
    return (datetime.fromisoformat(at) - timedelta(days)).date().isoformat()


def _app(row: DeviceRow) -> str:
    return plain(row.versions.get("amauta", ""))


class _Gap:
    """The audit keeps which error it was; the values of its sentence are left open."""

    def __format__(self, _: str) -> str:
        return "…"


def _reason(detail: str, words: Words) -> tuple[str, str]:
    key = detail.partition(":")[0]
    if not words.has(f"errors.{key}.what"):
        return plain(detail), ""
    gaps: dict[str, _Gap] = defaultdict(_Gap)
    what, do = (Formatter().vformat(words.table[f"errors.{key}.{part}"], (), gaps) for part in ("what", "do"))
    return what, do
