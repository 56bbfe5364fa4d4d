"""Copy from a colleague's depot what is missing here; every byte is hashed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devkit.depot.store import Depot, Entry
from devkit.errors import KitError
from edge.errors import EdgeError


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one entry of the colleague's."""

    name: str
    copied_bytes: int
    refused: EdgeError | None = None


def is_depot(folder: Path) -> bool:
    """Tell whether a folder is a depot."""
    return (folder / "entries").is_dir() and (folder / "objects").is_dir()


def copy_missing(other: Depot, depot: Depot) -> Iterator[Copied]:
    """Copy entry by entry; a damaged one is named and passed over."""
    for receipt in other.receipts():
        name = f"{receipt.parent.name}/{receipt.stem}"
        try:
            entry = other.read(receipt)
            yield Copied(name, _copy(entry, other, depot))
        except KitError as error:
            if error.key in ("depot-full", "depot-disk"):
                raise
            yield Copied(name, 0, error)


def _copy(entry: Entry, other: Depot, depot: Depot) -> int:
    before = depot.find(entry.kind, entry.id)
    if before is not None and before != entry:
        older = entry.version.isdecimal() and before.version.isdecimal() and int(entry.version) < int(before.version)
        if older:
            return 0
        if entry.kind not in ("pack", "release") or entry.version == before.version:
            raise KitError("depot-differs", name=entry.id, kind=entry.kind)
    missing = {file.sha256: file for file in entry.files if not depot.has(file.sha256, file.size)}
    for sha256 in missing:
        depot.take(other.path(sha256), sha256)
    if before != entry:
        depot.keep(entry)
    return sum(file.size for file in missing.values())
