"""A release repository on the disk of whoever signs: what is there, and the one way something new comes in.

Everything new lies beside the old under names of its own; timestamp.json, replaced at once and last, makes
it the release that devices see. A kill at any instant leaves the old one or the new one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.files import is_full, write_atomic
from edge.locks import take
from edge.release import layout
from edge.release.contents import Contents, ContentsError, parse
from edge.release.sources import Absent, Folder, TrustError
from quantize.recipe import RecipeError

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp


@dataclass(frozen=True, slots=True)
class Current:
    """The release that devices see now, and the metadata that leads to it."""

    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    contents: Contents


@dataclass(frozen=True, slots=True)
class Repository:
    """The folder of a release repository."""

    folder: Path

    @property
    def work(self) -> Path:
        """Where drafts and receipts lie."""
        return self.folder / layout.SIGNING

    def newest_root(self) -> int:
        """Return the version of the newest root, 0 when there is none yet."""
        version = 0
        while (self.folder / layout.metadata("root", version + 1)).is_file():
            version += 1
        return version

    def root_bytes(self, version: int) -> bytes:
        """Return a root as it is; raise RecipeError when it cannot be read."""
        return self.read(layout.metadata("root", version))

    def root(self, version: int | None = None) -> Metadata[Root]:
        """Return a root, or the newest one; raise RecipeError when there is none."""
        from tuf.api.exceptions import RepositoryError
        from tuf.api.metadata import Metadata, Root

        wanted = self.newest_root() if version is None else version
        if wanted == 0:
            raise RecipeError("sign-no-root", path=self.folder)
        try:
            return Metadata[Root].from_bytes(self.root_bytes(wanted))
        except RepositoryError as error:
            raise RecipeError("sign-broken", path=self.folder / layout.metadata("root", wanted)) from error

    def current(self) -> Current | None:
        """Return the release that devices see, or None before the first one."""
        from tuf.api.exceptions import RepositoryError
        from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

        if not (self.folder / layout.TIMESTAMP).exists():
            return None
        name = layout.TIMESTAMP
        try:
            timestamp = Metadata[Timestamp].from_bytes(self.read(name))
            name = layout.metadata("snapshot", timestamp.signed.snapshot_meta.version)
            snapshot = Metadata[Snapshot].from_bytes(self.read(name))
            name = layout.metadata("targets", snapshot.signed.meta["targets.json"].version)
            targets = Metadata[Targets].from_bytes(self.read(name))
            info = targets.signed.targets[layout.RELEASE]
            name = layout.target(info.hashes["sha256"])
            content = self.read(name)
            info.verify_length_and_hashes(content)
            return Current(timestamp, snapshot, targets, parse(content))
        except (RepositoryError, LookupError, ContentsError) as error:
            raise RecipeError("sign-broken", path=self.folder / name) from error

    def read(self, name: str, most: int | None = None) -> bytes:
        """Return a file of the repository; raise RecipeError when it is not there or too large."""
        try:
            return Folder(self.folder).read(name, most or layout.limit(name) or 0)
        except (Absent, TrustError) as error:
            raise RecipeError("sign-broken", path=self.folder / name) from error

    def has(self, sha256: str, size: int) -> bool:
        """Tell whether a part or delta is here and right; what an earlier try left is read again."""
        path = self.folder / layout.part(sha256)
        if not path.is_file() or path.stat().st_size != size:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    def put(self, name: str, content: bytes) -> None:
        """Write a file at once, for everybody to read."""
        path = self.folder / name
        with disk_words(path):
            write_atomic(path, content)
            path.chmod(0o644)

    def put_part(self, content: bytes, sha256: str) -> None:
        """Write a part or a delta, unless it is here."""
        if not self.has(sha256, len(content)):
            self.put(layout.part(sha256), content)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process sign here meanwhile."""
        with disk_words(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.work / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not take(handle):
                raise RecipeError("sign-busy", path=self.folder)
            yield
        finally:
            os.close(handle)


@contextmanager
def disk_words(path: Path) -> Iterator[None]:
    """Say in words what the disk refused."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise RecipeError("sign-full", path=path) from error
        raise RecipeError("sign-disk", path=path, reason=error.strerror or str(error)) from error
