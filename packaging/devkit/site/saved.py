"""A plan as a file: plan.json holds every stick of a site, and `write` obeys it.

What the plan made itself lies beside it, and is named relative to it; what lies in the depot is
named by its whole path. A plan that was changed by hand into something unsafe is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from devkit.errors import KitError
from devkit.site.names import clash, is_label, is_safe
from devkit.stick import DataStick, ImageStick, PlannedFile, Stick, Versions
from edge.files import write_atomic

FORMAT = 1
LARGEST_PLAN = 64 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Plan:
    """All sticks of one site."""

    site: str
    """The school's name, as people write it."""

    lang: str
    """The language of labels and delivery notes."""

    sticks: tuple[Stick, ...]


def save(plan: Plan, path: Path) -> None:
    """Write the plan, whole or not at all; raise KitError when the disk refuses."""
    beside = path.absolute().parent
    # The sticks of a site are mostly alike: what they hold is written once.
    contents = {stick.files: None for stick in plan.sticks if isinstance(stick, DataStick)}
    places = {files: place for place, files in enumerate(contents)}
    sticks = [_data(s, places[s.files]) if isinstance(s, DataStick) else _image(s, beside) for s in plan.sticks]
    rows = [[_file(file, beside) for file in files] for files in contents]
    facts = {"format": FORMAT, "site": plan.site, "lang": plan.lang, "contents": rows, "sticks": sticks}
    try:
        write_atomic(path, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        raise KitError("plan-disk", path=path, reason=error.strerror or str(error)) from error


def load(path: Path) -> Plan:
    """Read a plan; raise KitError when it is none, or one that must not be obeyed."""
    try:
        if path.stat().st_size > LARGEST_PLAN:
            raise KitError("plan-broken", path=path, where="size", value=str(path.stat().st_size))
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise KitError("plan-unreadable", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise KitError("plan-broken", path=path, where="JSON", value=str(error)[:100]) from error
    reader = _Reader(path)
    row = reader.table(found, "", {"format", "site", "lang", "contents", "sticks"})
    if row["format"] != FORMAT or type(row["format"]) is not int:
        reader.refuse("format", row["format"])
    for name in ("contents", "sticks"):
        if not isinstance(row[name], list):
            reader.refuse(name, row[name])
    contents = [reader.files(entry, f"contents[{at}]") for at, entry in enumerate(row["contents"])]
    sticks = tuple(reader.stick(entry, f"sticks[{at}]", contents) for at, entry in enumerate(row["sticks"]))
    names = [stick.name for stick in sticks]
    if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
        reader.refuse("sticks.name", twice)
    return Plan(reader.text(row["site"], "site"), reader.text(row["lang"], "lang"), sticks)


def _data(stick: DataStick, place: int) -> dict[str, Any]:
    """Return a data stick; `place` is that of its files among the contents."""
    return {
        "kind": "data", "name": stick.name, "volume": stick.volume, "filesystem": stick.filesystem, "files": place,
        "versions": dict(stick.versions),
    }  # fmt: skip


def _image(stick: ImageStick, beside: Path) -> dict[str, Any]:
    bmap = None if stick.bmap is None else _place(stick.bmap, beside)
    facts = {"kind": "image", "name": stick.name, "image": _file(stick.image, beside), "bmap": bmap}
    return facts | {"versions": dict(stick.versions)}


def _file(file: PlannedFile, beside: Path) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "sha256": file.sha256, "source": _place(file.source, beside)}


def _place(source: Path, beside: Path) -> str:
    """Name what lies below the plan's folder relative to it, so that both may move together."""
    whole = source.absolute()
    return whole.relative_to(beside).as_posix() if whole.is_relative_to(beside) else str(whole)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns rows into facts, and refuses what is not exactly one."""

    path: Path

    def refuse(self, where: str, value: object) -> NoReturn:
        raise KitError("plan-broken", path=self.path, where=where, value=repr(value)[:100])

    def table(self, row: Any, where: str, names: set[str]) -> Mapping[str, Any]:
        if not isinstance(row, dict) or set(row) != names:
            self.refuse(where or "plan", row)
        return row

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value or not value.isprintable():
            self.refuse(where, value)
        return value

    def stick(self, row: Any, where: str, contents: Sequence[tuple[PlannedFile, ...]]) -> Stick:
        kind = row.get("kind") if isinstance(row, dict) else None
        if kind == "image":
            row = self.table(row, where, {"kind", "name", "image", "bmap", "versions"})
            bmap = None if row["bmap"] is None else self.place(row["bmap"], f"{where}.bmap")
            image = self.file(row["image"], f"{where}.image")
            return ImageStick(self.text(row["name"], where), image, bmap, self.versions(row["versions"], where))
        row = self.table(row, where, {"kind", "name", "volume", "filesystem", "files", "versions"})
        if kind != "data" or row["filesystem"] not in ("fat32", "exfat"):
            self.refuse(where, {name: row[name] for name in ("kind", "filesystem")})
        if not is_label(self.text(row["volume"], where)):
            self.refuse(f"{where}.volume", row["volume"])
        place = row["files"]
        if type(place) is not int or not 0 <= place < len(contents):
            self.refuse(f"{where}.files", place)
        name, versions = self.text(row["name"], where), self.versions(row["versions"], where)
        return DataStick(name, row["volume"], row["filesystem"], contents[place], versions)

    def versions(self, row: Any, where: str) -> Versions:
        if not isinstance(row, dict):
            self.refuse(f"{where}.versions", row)
        return tuple((self.text(name, where), self.text(version, where)) for name, version in row.items())

    def files(self, rows: Any, where: str) -> tuple[PlannedFile, ...]:
        if not isinstance(rows, list):
            self.refuse(where, rows)
        files = tuple(self.file(entry, f"{where}[{at}]") for at, entry in enumerate(rows))
        if path := clash(file.path for file in files):
            self.refuse(where, path)
        return files

    def file(self, row: Any, where: str) -> PlannedFile:
        row = self.table(row, where, {"path", "size", "sha256", "source"})
        path, size, sha256 = self.text(row["path"], where), row["size"], self.text(row["sha256"], where)
        if not is_safe(path) or type(size) is not int or size < 0 or not SHA256.fullmatch(sha256):
            self.refuse(where, {"path": path, "size": size, "sha256": sha256})
        return PlannedFile(path, size, sha256, self.place(row["source"], f"{where}.source"))

    def place(self, value: Any, where: str) -> Path:
        return self.path.absolute().parent / self.text(value, where)
