"""What a release holds: every file, the parts it is made of, and deltas from older files. Parsed strictly, cut alike everywhere.

Pure but for `cut`. The bytes come from `trust`, which has verified them; what this parser
does not know, or would not have written itself, it refuses all the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from edge.errors import EdgeError, ModelError
from edge.files import BLOCK_BYTES
from edge.tutor.gguf import tensor_starts

FORMAT = 1
FIXED_PART_BYTES = 4 << 20
MOST_PART_BYTES = 16 << 20
SMALL_TENSOR_BYTES = 256 << 10
"""Smaller neighbours share a part; a larger tensor has its own, so that it stays one part when others change size."""

MOST_FILE_BYTES = (4 << 30) - 1
"""What FAT32 can hold."""

MOST_DELTA_BYTES = 256 << 20
"""A device has a delta in memory, whole."""

MOST_FILES, MOST_PATH = 100_000, 180
FOLDERS = {
    "app": ("app",),
    "lm": ("models",),
    "lm-onnx": ("models",),
    "voice": ("voices",),
    "voice-config": ("voices",),
    "pack": ("packs",),
    "adapter": ("adapters",),
    "manifest": ("manifest",),
    "card": ("models", "voices", "adapters"),
}
"""Each kind of file, and the folders it may lie in."""

SHA256 = re.compile(r"[0-9a-f]{64}")
IDENTIFIER = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*")
PLATFORM = re.compile(r"[a-z0-9]+-[a-z0-9_]+")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,39}")
NAME = re.compile(r"[ !#-)+-.0-9;=@-\[\]-{}~]+")
"""ASCII that FAT can write."""

DEVICE_NAME = re.compile(r"(con|prn|aux|nul|clock\$|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Windows opens a device under these names, whatever follows the dot."""


class ContentsError(EdgeError):
    """A release says something about itself that cannot be."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive bytes of a file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Delta:
    """Bytes that make a file out of an older one: zstd with the old file as raw dictionary."""

    base: str
    """SHA-256 of the whole old file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file, where it goes and what it is made of."""

    path: str
    """Below the release's folder, with slashes; safe on FAT and never outside."""

    kind: str
    id: str
    platform: str
    """Such as linux-x86_64; empty when it is for all."""

    size: int
    sha256: str
    mode: int
    parts: tuple[Part, ...]
    """In order; one after the other they are the file."""

    deltas: tuple[Delta, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """A numbered set of files that were tested together."""

    number: int
    """Grows by one each time and never goes back."""

    version: str
    files: tuple[ReleaseFile, ...]


def write(contents: Contents) -> bytes:
    """Return the one way to write these contents down; raise ContentsError when a device would refuse them."""
    rows = [_row(file) for file in contents.files]
    content = _canonical({"format": FORMAT, "number": contents.number, "version": contents.version, "files": rows})
    parse(content)
    return content


def parse(content: bytes) -> Contents:
    """Read contents; raise ContentsError for the first thing in them that is not right."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ContentsError("contents-wrong", where="JSON", reason=str(error)[:80]) from error
    _names(found, ("format", "number", "version", "files"), "release.json")
    _refuse(type(found["format"]) is not int or found["format"] != FORMAT, "format", found["format"])
    _refuse(not _whole(found["number"], 1, 999_999_999), "number", found["number"])
    _refuse(not _matches(found["version"], VERSION), "version", found["version"])
    rows = found["files"]
    _refuse(not isinstance(rows, list) or not 0 < len(rows) <= MOST_FILES, "files", type(rows).__name__)
    files = tuple(_file(row, f"files[{place}]") for place, row in enumerate(rows))
    _refuse_clashes(files)
    # Two names alike in one object, other spaces, another order: somebody else wrote this.
    _refuse(_canonical(found) != content, "JSON", "not canonical")
    return Contents(found["number"], found["version"], files)


def _row(file: ReleaseFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "kind": file.kind,
        "id": file.id,
        "platform": file.platform,
        "size": file.size,
        "sha256": file.sha256,
        "mode": file.mode,
        "parts": [{"sha256": part.sha256, "size": part.size} for part in file.parts],
        "deltas": [{"from": delta.base, "sha256": delta.sha256, "size": delta.size} for delta in file.deltas],
    }


def _canonical(found: Any) -> bytes:
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def _file(row: Any, where: str) -> ReleaseFile:
    _names(row, ("path", "kind", "id", "platform", "size", "sha256", "mode", "parts", "deltas"), where)
    _refuse(not _is_safe(row["path"]), f"{where}.path", row["path"])
    where = row["path"]
    _refuse(not isinstance(row["kind"], str) or row["kind"] not in FOLDERS, f"{where}: kind", row["kind"])
    _refuse(not _matches(row["id"], IDENTIFIER), f"{where}: id", row["id"])
    _refuse(row["platform"] != "" and not _matches(row["platform"], PLATFORM), f"{where}: platform", row["platform"])
    _refuse(not _has_its_place(row), f"{where}: kind, id, platform", [row["kind"], row["id"], row["platform"]])
    _refuse(not _whole(row["size"], 0, MOST_FILE_BYTES), f"{where}: size", row["size"])
    _refuse(not _matches(row["sha256"], SHA256), f"{where}: sha256", row["sha256"])
    _refuse(type(row["mode"]) is not int or row["mode"] not in (0o644, 0o755), f"{where}: mode", row["mode"])
    for name in ("parts", "deltas"):
        _refuse(not isinstance(row[name], list), f"{where}: {name}", row[name])
    parts = tuple(Part(**_sized(part, ("sha256", "size"), where, MOST_PART_BYTES)) for part in row["parts"])
    _refuse(sum(part.size for part in parts) != row["size"], f"{where}: parts", row["size"])
    deltas = tuple(_delta(delta, where) for delta in row["deltas"])
    return ReleaseFile(**{**row, "parts": parts, "deltas": deltas})


def _delta(row: Any, where: str) -> Delta:
    facts = _sized(row, ("from", "sha256", "size"), where, MOST_DELTA_BYTES)
    _refuse(not _matches(facts["from"], SHA256), f"{where}: from", facts["from"])
    return Delta(facts["from"], facts["sha256"], facts["size"])


def _sized(row: Any, names: tuple[str, ...], where: str, most: int) -> dict[str, Any]:
    """Return a row that names bytes by hash and size."""
    _names(row, names, where)
    _refuse(not _matches(row["sha256"], SHA256), f"{where}: sha256", row["sha256"])
    _refuse(not _whole(row["size"], 1, most), f"{where}: size", row["size"])
    return dict(row)


def _is_safe(path: Any) -> bool:
    """Tell whether a path stays in its folder and can be written on every file system we meet."""
    if not isinstance(path, str) or len(path) > MOST_PATH:
        return False
    return all(
        NAME.fullmatch(name) and name == name.strip() and name[-1] != "." and not DEVICE_NAME.fullmatch(name)
        for name in path.split("/")
    )


def _has_its_place(row: dict[str, Any]) -> bool:
    """Tell whether a file lies where its kind, platform and pack say."""
    folder, *rest = row["path"].split("/")
    if folder not in FOLDERS[row["kind"]] or not rest:
        return False
    if row["kind"] == "app":
        return len(rest) > 1 and rest[0] == row["platform"]
    return row["kind"] != "pack" or (len(rest) > 1 and rest[0] == row["id"])


def _refuse_clashes(files: Iterable[ReleaseFile]) -> None:
    """FAT takes two names that differ in case for one, and no system has a file and a folder of one name."""
    seen: set[str] = set()
    folders: set[str] = set()
    for file in files:
        path = file.path.lower()
        _refuse(path in seen, "path", file.path)
        seen.add(path)
        names = path.split("/")
        folders |= {"/".join(names[:depth]) for depth in range(1, len(names))}
    for clash in sorted(seen & folders):
        _refuse(True, "path", clash)


def cut(path: Path) -> tuple[Part, ...]:
    """Cut a file into parts: a GGUF file between its tensors, so that an unchanged tensor is an unchanged part.

    Every other file in pieces of one size. Raises OSError when it cannot be read.
    """
    with path.open("rb") as file:
        return tuple(_hashed(file, size) for size in part_sizes(path))


def part_sizes(path: Path) -> list[int]:
    """Return how large the parts of a file are, in order."""
    size = path.stat().st_size
    try:
        starts = tensor_starts(path)
    except ModelError:
        return list(_pieces(size, FIXED_PART_BYTES))
    return list(_between([0, *sorted({start for start in starts if 0 < start < size}), size]))


def _between(borders: list[int]) -> Iterator[int]:
    """Join small neighbours and cut what is large."""
    joined = 0
    for start, end in pairwise(borders):
        if end - start >= SMALL_TENSOR_BYTES:
            yield from _pieces(joined, MOST_PART_BYTES)
            yield from _pieces(end - start, MOST_PART_BYTES)
            joined = 0
            continue
        joined += end - start
        if joined >= SMALL_TENSOR_BYTES:
            yield from _pieces(joined, MOST_PART_BYTES)
            joined = 0
    yield from _pieces(joined, MOST_PART_BYTES)


def _pieces(size: int, most: int) -> Iterator[int]:
    while size > 0:
        yield min(size, most)
        size -= most


def _hashed(file: IO[bytes], size: int) -> Part:
    digest, left = hashlib.sha256(), size
    while left and (block := file.read(min(BLOCK_BYTES, left))):
        digest.update(block)
        left -= len(block)
    if left:
        raise OSError(f"{file.name}: shorter than a moment ago")
    return Part(digest.hexdigest(), size)


def _names(found: Any, wanted: tuple[str, ...], where: str) -> None:
    _refuse(not isinstance(found, dict) or set(found) != set(wanted), where, found)


def _matches(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _refuse(wrong: bool, where: str, value: object) -> None:
    if wrong:
        raise ContentsError("contents-wrong", where=where, reason=repr(value)[:80])
