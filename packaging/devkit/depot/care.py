"""Look after a depot: read everything again, and remove what no entry names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devkit.depot.store import Depot, Entry
from devkit.depot.trouble import disk_trouble
from devkit.errors import KitError
from edge.files import sha256_of

BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was."""

    what: Literal["entry", "missing", "changed", "unreadable"]
    kind: str
    """Of the entry; empty for bytes that no entry names."""

    name: str
    path: str
    """The file of the entry, or its place in the depot."""


def verify(depot: Depot, watch: Callable[[int, int], None]) -> list[Damage]:
    """Hash every object again; set the wrong ones aside, so that `add` and `sync` bring them anew."""
    damages, users = _entries(depot)
    objects = sorted((depot.folder / "objects").glob("??/*"))
    done, total = 0, sum(path.stat().st_size for path in objects)
    for path in objects:
        if trouble := _trouble(path):
            if trouble == "changed":
                _set_aside(depot, path)
            owners = users.get(path.name, [("", path.name, str(path))])
            damages += [Damage(trouble, *owner) for owner in owners]
        done += path.stat().st_size if path.exists() else 0
        watch(done, total)
    here = {path.name for path in objects}
    damages += [Damage("missing", *o) for sha256, owners in users.items() if sha256 not in here for o in owners]
    return damages


def _entries(depot: Depot) -> tuple[list[Damage], dict[str, list[tuple[str, str, str]]]]:
    """Return the entries that cannot be read, and who needs each hash."""
    damages: list[Damage] = []
    users: dict[str, list[tuple[str, str, str]]] = {}
    for receipt in depot.receipts():
        try:
            entry = depot.read(receipt)
        except KitError:
            damages.append(Damage("entry", receipt.parent.name, receipt.stem, str(receipt)))
            continue
        for file in entry.files:
            users.setdefault(file.sha256, []).append((entry.kind, entry.id, file.path))
    return damages, users


def _trouble(path: Path) -> Literal["changed", "unreadable", ""]:
    try:
        return "" if sha256_of(path) == path.name else "changed"
    except OSError:
        return "unreadable"


def _set_aside(depot: Depot, path: Path) -> None:
    with disk_trouble(depot.folder):
        (depot.folder / BROKEN).mkdir(exist_ok=True)
        path.replace(depot.folder / BROKEN / path.name)


@dataclass(frozen=True, slots=True)
class Rubbish:
    """What nobody needs."""

    paths: tuple[Path, ...]
    size: int


def rubbish(depot: Depot, entries: list[Entry], *, unfinished: bool) -> Rubbish:
    """Find what no entry names; a download that stopped halfway counts only when `unfinished` says so."""
    named = {file.sha256 for entry in entries for file in entry.files}
    found = [path for path in (depot.folder / "objects").glob("??/*") if path.name not in named]
    found += (depot.folder / BROKEN).glob("*")
    found += [path for path in depot.incoming.glob("*") if unfinished or path.suffix != ".part"]
    return Rubbish(tuple(sorted(found)), sum(map(_bytes_of, found)))


def remove(depot: Depot, found: Rubbish) -> None:
    """Remove it."""
    with disk_trouble(depot.folder):
        for path in found.paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
