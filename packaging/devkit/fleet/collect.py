"""Collect the receipts of sticks and the reports of computers of a whole district. Pure but for reading them.

A receipt that came twice counts once; of a stick that was written twice the last writing counts; what is
damaged is named and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.errors import KitError
from devkit.write.journal import FOLDER
from devkit.write.receipt import read_receipt
from edge.diagnostic_code import Diagnosis, decode
from edge.errors import EdgeError
from edge.words import Value

LARGEST_FILE = 16 << 20
MOST_FILES = 200_000


@dataclass(frozen=True, slots=True)
class StickRow:
    """One stick that was handed over."""

    file: Path
    facts: Mapping[str, Any]

    def text(self, name: str, table: str = "") -> str:
        """Return a fact as text; empty when the receipt does not say it."""
        found = self.facts.get(table, {}) if table else self.facts
        value = found.get(name, "") if isinstance(found, dict) else ""
        return str(value) if isinstance(value, str | int | float) else ""

    def number(self, name: str) -> float:
        """Return a fact as a number; 0 when the receipt does not say it."""
        value = self.facts.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0

    def names(self, folder: str, suffix: str = "") -> str:
        """Return what lies in one folder of the stick, or the files of one kind in it."""
        contents = self.facts.get("contents")
        found = contents.get(folder) if isinstance(contents, dict) else None
        names = map(str, found) if isinstance(found, list) else ()
        return ", ".join(name.removesuffix(suffix) for name in names if name.endswith(suffix))


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One computer that doctor examined."""

    file: Path
    code: str
    diagnosis: Diagnosis
    ram_mb: int
    cpu: str


@dataclass(slots=True)
class Fleet:
    """Everything that was collected."""

    sticks: list[StickRow]
    devices: list[DeviceRow]
    notes: list[tuple[str, dict[str, Value]]]
    """What was noticed: sentences under `fleet.note`, and their values."""

    refused: list[EdgeError]


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return the receipts of folders, and every file named; raise KitError for what is not there.

    What `write` notes about sticks that are not done yet is passed over.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise KitError("depot-nothing", path=path)
        found += sorted(p for p in path.rglob("*.json") if p.parent.name != FOLDER) if path.is_dir() else [path]
    if not found:
        raise KitError("fleet-nothing")
    return found[:MOST_FILES]


def collect(files: Iterable[Path]) -> Fleet:
    """Read all of them."""
    fleet = Fleet([], [], [], [])
    seen: dict[str, Path] = {}
    for file in files:
        try:
            row = _read(file)
        except EdgeError as error:
            fleet.refused.append(error)
            continue
        key = row.code + repr(row.diagnosis) + row.cpu + str(row.ram_mb) if isinstance(row, DeviceRow) else _same(row)
        if key in seen:
            fleet.notes.append(("same", {"file": file, "first": seen[key]}))
            continue
        seen[key] = file
        if isinstance(row, DeviceRow):
            fleet.devices.append(row)
        else:
            fleet.sticks.append(row)
    fleet.sticks = _last_writings(fleet.sticks, fleet.notes)
    _shared_serials(fleet.sticks, fleet.notes)
    return fleet


def _read(file: Path) -> StickRow | DeviceRow:
    try:
        content = file.read_bytes() if file.stat().st_size <= LARGEST_FILE else b""
        found = json.loads(content)
    except OSError as error:
        raise KitError("depot-unreadable", path=file, reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise KitError("receipt-broken", file=file) from error
    if isinstance(found, dict) and isinstance(found.get("profile"), dict):
        return _device(file, found)
    return StickRow(file, read_receipt(file).facts)


def _device(file: Path, found: Mapping[str, Any]) -> DeviceRow:
    profile, code = found["profile"], found.get("code")
    processor = profile.get("processor")
    name = processor.get("name") if isinstance(processor, dict) else ""
    ram_mb = profile.get("ram_mb")
    if not isinstance(code, str) or type(ram_mb) is not int:
        raise KitError("receipt-broken", file=file)
    return DeviceRow(file, code, decode(code), ram_mb, str(name))


def _same(row: StickRow) -> str:
    return json.dumps(row.facts, sort_keys=True)


def _last_writings(rows: list[StickRow], notes: list[tuple[str, dict[str, Value]]]) -> list[StickRow]:
    """Keep the last writing of each stick of each site."""
    last: dict[tuple[str, str], StickRow] = {}
    for row in rows:
        key = (row.text("site"), row.text("stick"))
        other = last.get(key)
        if other is None:
            last[key] = row
            continue
        newer, older = sorted((row, other), key=lambda r: r.text("ended_at"), reverse=True)
        last[key] = newer
        notes.append(("again", {"stick": key[1], "file": older.file, "last": newer.file}))
    return sorted(last.values(), key=lambda row: (row.text("site"), row.text("stick")))


def _shared_serials(rows: Iterable[StickRow], notes: list[tuple[str, dict[str, Value]]]) -> None:
    """Notice one serial number under two names: a stick written for two, or a maker who gives all the same."""
    owners: dict[str, list[str]] = {}
    for row in rows:
        if serial := row.text("serial", "disk"):
            owners.setdefault(serial, []).append(f"{row.text('site')} / {row.text('stick')}")
    for serial, names in owners.items():
        if len(names) > 1:
            notes.append(("serial", {"serial": serial, "sticks": ", ".join(names[:5]), "count": len(names)}))
