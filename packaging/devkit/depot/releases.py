"""Bring a signed release into the depot: verified before anything of it is believed, every part at most once.

The depot then holds the files of the release, each as what it is (a model, a pack, an app), and the
repository itself, so that a stick can carry it and devices can verify it again for themselves.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from devkit.depot.board import Board, Row, Stopped
from devkit.depot.bring import work
from devkit.depot.store import Depot, Entry, KeptFile, Kind
from devkit.depot.trouble import disk_trouble
from devkit.errors import KitError
from edge.errors import EdgeError
from edge.library.folder import read_head
from edge.release import layout
from edge.release.contents import Contents, Part, ReleaseFile, write
from edge.release.sources import Absent, Source
from edge.release.trust import Trusted, open_release

ENTRY_KINDS: dict[str, Kind] = {
    "app": "app", "lm": "lm", "lm-onnx": "lm-onnx", "voice": "voice", "voice-config": "voice", "pack": "pack",
    "adapter": "adapter",
}  # fmt: skip
FOLDER = "release"
"""Where the repository goes on a stick."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A release whose signatures hold, and the very bytes that say so."""

    trusted: Trusted
    papers: dict[str, bytes]
    """Metadata and contents, by their names in the repository."""

    @property
    def contents(self) -> Contents:
        """Return what the release holds."""
        return self.trusted.contents

    def missing(self, depot: Depot) -> dict[str, int]:
        """Return hash and size of every part and delta that must still come."""
        wanted = {name.rpartition("/")[2]: size for name, size in layout.needed(self.contents) if name[:6] == "parts/"}
        inside = {
            part.sha256 for file in self.contents.files if depot.has(file.sha256, file.size) for part in file.parts
        }
        return {h: size for h, size in wanted.items() if h not in inside and not depot.has(h, size)}


def verify(where: str, home: Path) -> Verified:
    """Verify a release, copy its papers, and verify the copy: a server may say something else the second time."""
    trusted = open_release(where, home)
    papers = _papers(trusted.source, trusted.contents)
    with tempfile.TemporaryDirectory(prefix="amauta-release-") as folder:
        for name, content in papers.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        again = open_release(Path(folder), home)
    if again.contents != trusted.contents:
        raise KitError("depot-release-changed", where=where)
    return Verified(trusted, papers)


def _papers(source: Source, contents: Contents) -> dict[str, bytes]:
    """Read everything of the repository that is signed, or says what is."""
    found: dict[str, bytes] = {}

    def read(name: str) -> bytes:
        found[name] = source.read(name, layout.limit(name) or 0)
        return found[name]

    try:
        snapshot = _version(read(layout.TIMESTAMP), "snapshot.json")
        targets = _version(read(layout.metadata("snapshot", snapshot)), "targets.json")
        read(layout.metadata("targets", targets))
        read(layout.target(hashlib.sha256(write(contents)).hexdigest()))
        for number in count(1):
            try:
                read(layout.metadata("root", number))
            except Absent:
                break
    except Absent as error:
        raise KitError("depot-release-changed", where=str(source)) from error
    return found


def _version(content: bytes, name: str) -> int:
    """Return which version of `name` a signed file names; what it says was verified, or will be."""
    try:
        return int(json.loads(content)["signed"]["meta"][name]["version"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise KitError("depot-release-changed", where=name) from error


def bring_release(depot: Depot, verified: Verified, board: Board, at_once: int) -> dict[str, EdgeError]:
    """Bring every part that is missing, put the files together, and keep all as entries; return what failed."""
    files = {file.sha256: file for file in verified.contents.files}
    tasks: dict[str, Callable[[], None]] = {
        sha256: lambda file=file: _told(board, file.path, file.size, lambda row: _file(depot, verified, file, row))  # type: ignore[misc]
        for sha256, file in files.items()
    }
    deltas = [Part(d.sha256, d.size) for file in files.values() for d in file.deltas]
    if deltas:
        size = sum(part.size for part in deltas)
        tasks["deltas"] = lambda: _told(board, "deltas", size, lambda row: _parts(depot, verified, deltas, row, size))
    # One source and one disk: what stops one file stops all, and the next sync goes on from there.
    refused = work(tasks, board, at_once, fatal=lambda _: True)
    if not refused:
        for entry in _entries(depot, verified):
            depot.keep(entry)
    return refused


def _told(board: Board, name: str, size: int, bring: Callable[[Row], None]) -> None:
    row = board.row(name)
    try:
        bring(row)
    except EdgeError:
        row.ended("depot.refused", 0)
        raise
    except Stopped:
        return
    row.ended("depot.brought", size)


def _file(depot: Depot, verified: Verified, file: ReleaseFile, row: Row) -> None:
    """Have a file whole and in parts: the repository on a stick needs the parts, the stick itself the file."""
    if depot.has(file.sha256, file.size):
        _cut(depot, file)
        return
    _parts(depot, verified, file.parts, row, file.size)
    depot.take_blocks((_part_bytes(depot, part) for part in file.parts), file.path, file.sha256)


def _part_bytes(depot: Depot, part: Part) -> bytes:
    with disk_trouble(depot.folder):
        return depot.path(part.sha256).read_bytes()


def _cut(depot: Depot, file: ReleaseFile) -> None:
    """Cut a file that is here into its parts, instead of fetching them."""
    with disk_trouble(depot.folder), depot.path(file.sha256).open("rb") as whole:
        for part in file.parts:
            content = whole.read(part.size)
            if not depot.has(part.sha256, part.size):
                depot.take_blocks([content], file.path, part.sha256)


def _parts(depot: Depot, verified: Verified, parts: Iterable[Part], row: Row, total: int) -> None:
    done = 0
    for part in parts:
        if not depot.has(part.sha256, part.size):
            content = verified.trusted.part(part.sha256, part.size)
            depot.take_blocks([content], row.name, part.sha256)
        done += part.size
        row.moved(done, total)


def _entries(depot: Depot, verified: Verified) -> list[Entry]:
    contents = verified.contents
    groups: dict[tuple[Kind, str], list[ReleaseFile]] = {}
    for file in contents.files:
        if kind := ENTRY_KINDS.get(file.kind):
            name = f"amauta-{contents.version}-{file.platform}".lower() if kind == "app" else file.id
            groups.setdefault((kind, name), []).append(file)
    for (kind, name), files in groups.items():
        if kind in ("lm", "lm-onnx", "voice", "adapter"):
            files += [file for file in contents.files if file.kind == "card" and file.id == name]
    entries = [_entry(depot, kind, name, files, contents) for (kind, name), files in groups.items()]
    return [*entries, _repository(depot, verified)]


def _entry(depot: Depot, kind: Kind, name: str, files: list[ReleaseFile], contents: Contents) -> Entry:
    version = contents.version if kind == "app" else _pack_version(depot, files) if kind == "pack" else ""
    kept = tuple(KeptFile(file.path, file.size, file.sha256) for file in files)
    return Entry(kind, name, version, files[0].platform if kind == "app" else "", kept)


def _pack_version(depot: Depot, files: list[ReleaseFile]) -> str:
    head = next((file for file in files if file.path.endswith("/pack.toml")), None)
    if head is None:
        raise KitError("depot-absent", name=files[0].id, path="pack.toml")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pack.toml").write_bytes(depot.path(head.sha256).read_bytes())
        return str(read_head(Path(folder), []).version)


def _repository(depot: Depot, verified: Verified) -> Entry:
    files = []
    for name, content in verified.papers.items():
        sha256 = hashlib.sha256(content).hexdigest()
        if not depot.has(sha256, len(content)):
            depot.take_blocks([content], name, sha256)
        files.append(KeptFile(f"{FOLDER}/{name}", len(content), sha256))
    for name, size in layout.needed(verified.contents):
        if name not in verified.papers:
            files.append(KeptFile(f"{FOLDER}/{name}", size, name.rpartition("/")[2]))
    number = verified.contents.number
    return Entry("release", f"release-{number}", str(number), "", tuple(files))
