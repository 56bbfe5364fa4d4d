"""Read what `amauta-kit freeze` made: a folder or a zip, and build.json that names every file in it."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.depot.receipts import parse_facts, read_facts
from devkit.depot.trouble import disk_trouble
from devkit.errors import KitError
from devkit.site.names import clash, is_safe

RECEIPT = "build.json"
LARGEST_RECEIPT = 16 << 20
PLATFORM = re.compile(r"[a-z0-9]+(-[a-z0-9_]+)*")
VERSION = re.compile(r"\d+(\.[0-9a-z]+){1,4}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Build:
    """One frozen app."""

    place: Path
    """Its folder or zip."""

    version: str
    platform: str
    files: Mapping[str, tuple[int, str]]
    """Size and SHA-256 by the path below the app's folder."""

    @property
    def id(self) -> str:
        """Return its name in the depot."""
        return f"amauta-{self.version}-{self.platform}"

    @property
    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file by its path on a stick."""
        return {self.on_stick(path): sha256 for path, (_, sha256) in self.files.items()}

    def on_stick(self, path: str) -> str:
        """Return where a file of the app goes."""
        return f"app/{self.platform}/{path}"

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[dict[str, Path]]:
        """Give each file's place, by its path on a stick; what must be unpacked lies in `scratch` meanwhile."""
        if self.place.is_dir():
            yield {self.on_stick(path): self.place / path for path in self.files}
            return
        with disk_trouble(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=scratch))
        try:
            yield self._unpacked(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _unpacked(self, folder: Path) -> dict[str, Path]:
        found = {}
        try:
            with zipfile.ZipFile(self.place) as archive:
                for number, (path, (size, _)) in enumerate(self.files.items()):
                    member = _member(archive, path)
                    if member is None or member.file_size != size:
                        raise KitError("depot-build", path=self.place, reason=path)
                    target = folder / str(number)
                    with archive.open(member) as source, disk_trouble(folder), target.open("wb") as copy:
                        shutil.copyfileobj(source, copy, 1 << 20)
                    found[self.on_stick(path)] = target
        except zipfile.BadZipFile as error:
            raise KitError("depot-build", path=self.place, reason=str(error)) from error
        return found


def open_build(place: Path) -> Build:
    """Read the receipt of a build, which lies in it or beside it; raise KitError when there is none or it is wrong."""
    facts = _facts(place)
    version, platform, rows = facts.get("version"), facts.get("platform"), facts.get("files")
    if not (isinstance(version, str) and VERSION.fullmatch(version)):
        raise KitError("depot-build", path=place, reason=f"version = {version!r}"[:80])
    if not (isinstance(platform, str) and PLATFORM.fullmatch(platform)):
        raise KitError("depot-build", path=place, reason=f"platform = {platform!r}"[:80])
    files = dict(_file(row, place) for row in (rows if isinstance(rows, list) else []))
    if not files or (twice := clash(files)):
        raise KitError("depot-build", path=place, reason=f"files: {twice}" if files else "files")
    return Build(place, version, platform, files)


def _file(row: Any, place: Path) -> tuple[str, tuple[int, str]]:
    facts = row if isinstance(row, dict) else {}
    path, size, sha256 = facts.get("path"), facts.get("size"), facts.get("sha256")
    if (
        isinstance(path, str)
        and is_safe(path)
        and type(size) is int
        and isinstance(sha256, str)
        and SHA256.fullmatch(sha256)
    ):
        return path, (size, sha256)
    raise KitError("depot-build", path=place, reason=f"files: {path}"[:80])


def _facts(place: Path) -> dict[str, Any]:
    """Find the receipt: inside, beside as NAME.json, or beside as build.json when that speaks of this very build."""
    if place.is_dir() and (place / RECEIPT).is_file():
        return read_facts(place / RECEIPT)
    name = place.name.removesuffix(".zip")
    if place.is_file():
        try:
            with zipfile.ZipFile(place) as archive:
                if (member := _member(archive, RECEIPT)) is not None and member.file_size < LARGEST_RECEIPT:
                    return parse_facts(archive.read(member), place)
        except (zipfile.BadZipFile, OSError) as error:
            raise KitError("depot-build", path=place, reason=str(error)) from error
    for beside in (place.with_name(f"{name}.json"), place.with_name(f"{name}.{RECEIPT}"), place.with_name(RECEIPT)):
        if beside.is_file():
            facts = read_facts(beside)
            if f"amauta-{facts.get('version')}-{facts.get('platform')}" == name:
                return facts
    raise KitError("depot-build-receipt", path=place)


def _member(archive: zipfile.ZipFile, path: str) -> zipfile.ZipInfo | None:
    """Return a member by its path, directly or below the one top folder of the archive."""
    tops = {name.split("/")[0] for name in archive.namelist()}
    for candidate in (path, f"{next(iter(tops))}/{path}" if len(tops) == 1 else path):
        try:
            return archive.getinfo(candidate)
        except KeyError:
            continue
    return None
