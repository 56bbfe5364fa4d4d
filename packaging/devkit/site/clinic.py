"""A health post's own decision tables, and words for them in other languages: read, proved, held against the originals.

The checks are those of `amauta clinic check` and `amauta clinic overlay check`; every complaint names its file and line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from devkit.depot.store import Depot, Entry
from devkit.errors import KitError
from devkit.site.fields import Section
from devkit.stick import Versions
from edge.errors import EdgeError
from edge.library.pack import Complaint
from edge.settings import Settings
from edge.site import OVERLAYS, TABLES, TOML_NAME
from edge.triage import shelf, table
from edge.triage.check import check
from edge.triage.overlay import Overlay, read_overlay
from edge.triage.overlay_shelf import check_overlay
from edge.triage.parts import Table
from edge.words import Value

T = TypeVar("T", Table, Overlay)


@dataclass(frozen=True, slots=True)
class ClinicFiles:
    """What a site file names beside what ships; only what nothing is wrong with."""

    tables: tuple[Table, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    """The first is the one that is shown."""

    @property
    def files(self) -> list[tuple[str, str, str, Path]]:
        """Return the folder on the stick, the name, the hash and the file of each."""
        tables = [(TABLES, one.id, one.sha256, one.path) for one in self.tables]
        return tables + [(OVERLAYS, one.shown.id, one.shown.sha256, one.path) for one in self.overlays]

    @property
    def versions(self) -> Versions:
        """Return what the delivery note says of them."""
        tables = tuple((f"table {one.id}", one.version) for one in self.tables)
        return (*tables, *((f"overlay {one.shown.id}", one.shown.version) for one in self.overlays))

    def hashes(self, wanted: str) -> tuple[tuple[str, str], ...]:
        """Return names and hashes of one kind."""
        return tuple((name, sha256) for folder, name, sha256, _ in self.files if folder == wanted)


def read_clinic(top: Section, place: str) -> ClinicFiles:
    """Return the files that the site file names; each complaint about one becomes a problem of the line that names it."""
    found = top.table.get("clinic", {})
    if not isinstance(found, dict):
        top.complain("clinic", "table")
        return ClinicFiles()
    row = top.below("clinic", found)
    row.refuse_unknown((TABLES, OVERLAYS))
    if "clinic" in top.table and place != "clinic":
        row.complain("clinic", "clinic-only")
    tables = [_judged(row, TABLES, path, _table(row, path)) for path in row.places(TABLES)]
    overlays = [_judged(row, OVERLAYS, path, _overlay(row, path)) for path in row.places(OVERLAYS)]
    files = ClinicFiles(tuple(filter(None, tables)), tuple(filter(None, overlays)))
    for kind in (TABLES, OVERLAYS):
        names = [name for name, _ in files.hashes(kind)]
        if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
            row.complain(kind, "twice", value=twice)
    return files


def _table(row: Section, path: Path) -> tuple[Table | None, list[Complaint]]:
    try:
        found, complaints = table.read(path)
    except EdgeError as error:
        row.complain(TABLES, "said", error, value=path.name)
        return None, []
    return found, complaints or (check(found) if found else [])


def _overlay(row: Section, path: Path) -> tuple[Overlay | None, list[Complaint]]:
    try:
        return read_overlay(path)
    except EdgeError as error:
        row.complain(OVERLAYS, "said", error, value=path.name)
        return None, []


def _judged(row: Section, kind: str, path: Path, read: tuple[T | None, list[Complaint]]) -> T | None:
    """Return what was read where nothing is wrong with it."""
    found, complaints = read
    _complain(row, kind, path, complaints)
    if found is None or complaints:
        return None
    name = found.id if isinstance(found, Table) else found.shown.id
    if TOML_NAME.fullmatch(name):
        return found
    row.complain(kind, "path", path=name)
    return None


def _complain(row: Section, kind: str, path: Path, complaints: Iterable[Complaint]) -> None:
    for one in complaints:
        row.complain(kind, "said", one, value=path.name, file=path, at=one.line)


def hold_overlays(files: ClinicFiles, entries: Iterable[Entry], depot: Depot, section: Section) -> None:
    """Hold every text of the overlays against the original that the devices will have, word for word as they will."""
    if not files.overlays:
        return
    row = section.below("clinic", {OVERLAYS: ""})
    with TemporaryDirectory(prefix="amauta-plan-") as scratch:
        settings = Settings(Path(scratch), place="clinic")
        for one in files.tables:
            _copy(one.path, shelf.own_folder(settings) / f"{one.id}.toml")
        named = {name.partition("/")[0] for overlay in files.overlays for name in overlay.texts if "/" in name}
        for entry in entries:
            for file in entry.files if entry.kind == "pack" and entry.id in named else ():
                _copy(depot.path(file.sha256), settings.home / file.path)
        for overlay in files.overlays:
            _complain(row, OVERLAYS, overlay.path, check_overlay(overlay, settings)[0])


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise KitError("plan-disk", path=target, reason=error.strerror or str(error)) from error


def told(files: ClinicFiles) -> Iterator[tuple[str, dict[str, Value]]]:
    """Say what goes along, who approved or reviewed it, and what it stands in for."""
    shipped = {path.stem for path in shelf.EMBEDDED.glob("*.toml")}
    for one in files.tables:
        facts: dict[str, Value] = {"name": one.id, "version": one.version}
        if one.approval is None:
            yield "table-pending", facts
        else:
            yield "table", facts | {"by": one.approval.by, "on": one.approval.on.isoformat()}
        if one.id in shipped:
            yield (
                "table-instead",
                {"name": one.id, "version": table.read_table(shelf.EMBEDDED / f"{one.id}.toml").version},
            )
    for number, overlay in enumerate(files.overlays):
        shown = overlay.shown
        facts = {"name": shown.id, "version": shown.version, "lang": shown.name, "author": shown.author}
        key = "overlay" if shown.reviewed_by else "overlay-unreviewed"
        yield key, facts | {"by": shown.reviewed_by}
        if number == 0 and len(files.overlays) > 1:
            yield "overlay-first", {"name": shown.id}
