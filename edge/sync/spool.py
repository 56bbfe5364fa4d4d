"""Bundles on their way by wire: kept as they were sealed until the hub acknowledges them.

A bundle sealed anew is another file, so an upload that was torn off could not go on and a courier would carry the
same facts many times. What the spool holds is not made again; what may no longer leave is dropped from it: after an
erasure, when chats are turned off, when the school, the hub or the identity changed.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomic
from edge.sync import handing
from edge.sync.errors import SyncError
from edge.sync.facts import Kind
from edge.sync.ledger import Ledger
from edge.sync.papers import Papers
from edge.sync.seal import LARGEST_SEALED

FOLDER = "spool"
SUFFIX = ".age"
MOST_FILES = 64
"""More are made anew, as fewer."""

Parts = list[tuple[Kind, str, int, int]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One bundle that the hub has not acknowledged."""

    digest: str
    sealed: bytes
    facts: int

    @property
    def sha256(self) -> str:
        """The name of the sealed file on every wire."""
        return hashlib.sha256(self.sealed).hexdigest()


def may_stay(parts: Parts, *, acknowledged: bool, turns: bool) -> bool:
    """Tell whether a kept bundle still has to leave, and may: it is known, not yet there, and holds no more than allowed."""
    return bool(parts) and not acknowledged and (turns or all(kind != "turns" for kind, *_ in parts))


def waiting(
    home: Path, ledger: Ledger, papers: Papers, versions: dict[str, str], at: str, *, turns: bool
) -> list[Waiting]:
    """Return bundles that together hold all that is not acknowledged, kept so that they are the same next time."""
    hub = papers.enrolment.hub
    folder = _folder(home, papers)
    kept = _kept(folder)
    gone = [
        digest
        for digest in kept
        if not may_stay(ledger.parts(digest, hub), acknowledged=ledger.is_acknowledged(digest), turns=turns)
    ]
    _forget(kept.pop(digest) for digest in gone)
    bundles = handing.prepare(ledger, papers, versions, turns=turns, besides=kept)
    forgets = any(stream.erased for bundle in bundles for stream in bundle.made.streams)
    if kept and (forgets or len(kept) + len(bundles) > MOST_FILES):
        _forget(kept.values())
        kept = {}
        bundles = handing.prepare(ledger, papers, versions, turns=turns)
    ledger.record([bundle.made for bundle in bundles], hub, at)
    for bundle in bundles:
        try:
            write_atomic(folder / _name(bundle.made.digest, bundle.sealed), bundle.sealed)
        except OSError as error:
            raise SyncError("papers-disk", path=folder, reason=error.strerror or str(error)) from error
    old = [Waiting(digest, path.read_bytes(), _count(ledger.parts(digest, hub))) for digest, path in kept.items()]
    new = [Waiting(each.made.digest, each.sealed, each.made.count()) for each in bundles]
    if not old and not new:
        shutil.rmtree(folder, ignore_errors=True)
    return [*old, *new]


def _count(parts: Parts) -> int:
    return sum(last - first + 1 for _, _, first, last in parts)


def _folder(home: Path, papers: Papers) -> Path:
    """Return where bundles of this device for this hub and school are; what is for another is removed."""
    enrolment = papers.enrolment
    facts = (enrolment.hub, enrolment.recipient, enrolment.school, enrolment.token.hex(), papers.identity.device)
    mine = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    place = home / FOLDER
    with suppress(OSError):
        for path in place.iterdir():
            if path.name != mine:
                shutil.rmtree(path, ignore_errors=True)
    return place / mine


def _name(digest: str, sealed: bytes) -> str:
    return f"{digest}-{hashlib.sha256(sealed).hexdigest()[:16]}{SUFFIX}"


def _kept(folder: Path) -> dict[str, Path]:
    """Return what is kept, by the digest of what is inside; a file that went bad is removed."""
    found = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        digest = path.name.partition("-")[0]
        if _is_whole(path, digest):
            found[digest] = path
        else:
            path.unlink(missing_ok=True)
    return found


def _is_whole(path: Path, digest: str) -> bool:
    try:
        return path.stat().st_size <= LARGEST_SEALED and path.name == _name(digest, path.read_bytes())
    except OSError:
        return False


def _forget(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
