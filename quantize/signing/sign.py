"""Make a folder of files the next release of a repository, or sign the present one again.

Parts and deltas first, then what the release holds, targets, snapshot; then the result is verified by the very
code devices use; timestamp.json, replaced at once, comes last. Doing it twice changes nothing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.release import layout
from edge.release.contents import Contents, ContentsError, ReleaseFile, write
from edge.release.memory import Memory
from edge.release.sources import Folder
from edge.release.trust import open_source
from quantize.recipe import RecipeError
from quantize.signing.drafts import expiry, finished, name_of, promote
from quantize.signing.gather import check_catalogue, gather
from quantize.signing.parts import take, with_deltas
from quantize.signing.repository import Current, Repository

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root

RELEASE_ROLES = ("targets", "snapshot", "timestamp")

Signers = Mapping[str, "CryptoSigner"]
"""Opened keys by their ids."""

Told = Callable[[int, int, str], None]
"""Told which of how many files comes next."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was signed."""

    contents: Contents
    changed: bool
    """False when the repository held this very release already."""


def sign(
    folder: Path,
    repo: Repository,
    signers: Signers,
    at: datetime,
    years: int,
    version: str,
    told: Told,
    *,
    manifest: Path | None = None,
) -> Done:
    """Make the files of a folder the next release; raise RecipeError or TrustError and leave the old one valid."""
    with repo.alone():
        root, current = _root(repo), repo.current()
        _require(root.signed, signers)
        files = gather(folder, manifest)
        old = {file.path: file for file in current.contents.files} if current else {}
        taken: list[ReleaseFile] = []
        for count, file in enumerate(files, start=1):
            told(count, len(files), file.path)
            taken.append(with_deltas(repo, take(repo, file), old.get(file.path)))
        check_catalogue(files, {file.path: file.sha256 for file in taken})
        number = current.contents.number + 1 if current else 1
        contents = Contents(number, version, tuple(taken))
        fresh = root.signed.version > repo.newest_root()
        if current and not fresh and replace(contents, number=current.contents.number) == current.contents:
            return Done(current.contents, changed=False)
        _publish(repo, root, current, contents, signers, at, years)
        return Done(contents, changed=True)


def renew(repo: Repository, signers: Signers, at: datetime, years: int) -> Contents | None:
    """Sign the present release again, with a new expiry date and under a new root that waits for it."""
    with repo.alone():
        root, current = _root(repo), repo.current()
        if current is None:
            if root.signed.version > repo.newest_root():
                promote(repo, root)
            return None
        _require(root.signed, signers)
        _publish(repo, root, current, current.contents, signers, at, years)
        return current.contents


def _root(repo: Repository) -> Metadata[Root]:
    """Return the root that will count: the draft that has all its signatures, or the newest one."""
    return finished(repo) or repo.root()


def _require(root: Root, signers: Signers) -> None:
    """Raise RecipeError when keys are missing, before hours of work."""
    for role in RELEASE_ROLES:
        if not _enough(root, role, signers):
            names = ", ".join(name_of(root, keyid) for keyid in root.roles[role].keyids)
            raise RecipeError("sign-keys", role=role, threshold=root.roles[role].threshold, names=names)


def _enough(root: Root, role: str, signers: Signers) -> bool:
    wanted = root.roles[role]
    return sum(keyid in signers for keyid in wanted.keyids) >= wanted.threshold


def _publish(
    repo: Repository,
    root: Metadata[Root],
    current: Current | None,
    contents: Contents,
    signers: Signers,
    at: datetime,
    years: int,
) -> None:
    try:
        content = write(contents)
    except ContentsError as error:
        raise RecipeError(error.key, **error.values) from error
    newest = repo.newest_root()
    fresh = root.signed.version > newest
    roots = [root.signed, *([repo.root().signed] if fresh and newest else [])]
    before, timestamp = _metadata(content, current, roots, signers, at, years)
    for name, written in before.items():
        repo.put(name, written)
    ahead = {layout.TIMESTAMP: timestamp}
    if fresh:
        ahead[layout.metadata("root", root.signed.version)] = root.to_bytes()
    _check(repo, ahead, at)
    # Signed for both roots, the release may go first. Where the old keys are lost, devices refuse
    # what they find in the instant between the two, whichever comes first.
    last = fresh and newest > 0 and all(_enough(roots[-1], role, signers) for role in RELEASE_ROLES)
    if fresh and not last:
        promote(repo, root)
    repo.put(layout.TIMESTAMP, timestamp)
    if last:
        promote(repo, root)


def _metadata(
    content: bytes, current: Current | None, roots: list[Root], signers: Signers, at: datetime, years: int
) -> tuple[dict[str, bytes], bytes]:
    """Return the new files besides the timestamp, and the timestamp."""
    from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

    end = expiry(at, years)
    numbers = (current.targets, current.snapshot, current.timestamp) if current else ()
    t, s, m = (signed.signed.version + 1 for signed in numbers) if current else (1, 1, 1)
    info = TargetFile.from_data(layout.RELEASE, content, ["sha256"])
    info.unrecognized_fields["custom"] = {"signed": at.date().isoformat()}
    targets = _signed(Metadata(Targets(t, None, end, {layout.RELEASE: info})), "targets", roots, signers)
    listed = MetaFile.from_data(t, targets, ["sha256"])
    snapshot = _signed(Metadata(Snapshot(s, None, end, {"targets.json": listed})), "snapshot", roots, signers)
    pointed = MetaFile.from_data(s, snapshot, ["sha256"])
    timestamp = _signed(Metadata(Timestamp(m, None, end, pointed)), "timestamp", roots, signers)
    before = {
        layout.target(hashlib.sha256(content).hexdigest()): content,
        layout.metadata("targets", t): targets,
        layout.metadata("snapshot", s): snapshot,
    }
    return before, timestamp


def _signed(metadata: Metadata[Any], role: str, roots: list[Root], signers: Signers) -> bytes:
    """Sign with every key at hand that one of the roots names: devices that know only the old one read on."""
    for keyid in dict.fromkeys(keyid for root in roots for keyid in root.roles[role].keyids):
        if keyid in signers:
            metadata.sign(signers[keyid], append=True)
    return metadata.to_bytes()


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The repository as it will be in a moment."""

    folder: Folder
    ahead: Mapping[str, bytes]

    def read(self, name: str, most: int) -> bytes:
        """Return a file whole."""
        return self.ahead.get(name) or self.folder.read(name, most)


def _check(repo: Repository, ahead: Mapping[str, bytes], at: datetime) -> None:
    """Verify the coming release the way a device does that knows only the first root."""
    source = _Ahead(Folder(repo.folder), ahead)
    first = ahead.get(layout.metadata("root", 1)) or repo.root_bytes(1)
    with tempfile.TemporaryDirectory(prefix="amauta-sign-") as memory:
        trusted = open_source(source, Memory(Path(memory)), first, at)
        for name, size in layout.needed(trusted.contents):
            path = repo.folder / name
            if not path.is_file() or path.stat().st_size != size:
                raise RecipeError("sign-broken", path=path)
