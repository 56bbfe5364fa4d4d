"""What a courier carries: sealed bundles of other devices and their acknowledgements, neither of which it can read.

HOME/courier is laid out like a stick, so `amauta hub import HOME/courier` and `hub ack` work on it too. A bundle
counts as here when its receipt is written, which is after the bytes are safe on the disk. It leaves only when the
device that made it proves that it is acknowledged, or, when there is no room, after it was carried out on a stick.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from edge.files import is_full, write_atomic
from edge.stick import FOLDER
from edge.sync import stick
from edge.sync.errors import RefusedError, SyncError
from edge.sync.seal import LARGEST_SEALED

NAME, PARTIAL = "courier", "partial"
MOST_BYTES = 512 << 20
MOST_FILES = 8192
MOST_PARTIAL_BYTES = 2 * LARGEST_SEALED
SPARE_BYTES = 64 << 20
"""What is always left free on a teacher's disk."""

_AGE_MARK = b"age-encryption.org/"


@dataclass(frozen=True, slots=True)
class Held:
    """One bundle that is here for good."""

    sha256: str
    size: int
    release: str = ""
    """The hash of what its device will show to have it removed; empty when it named none."""

    carried: int = 0
    """How often it was written to a stick."""

    @property
    def name(self) -> str:
        """Its name, here and on every stick; the device that made it can work it out."""
        return name_of(self.sha256)

    @property
    def receipt(self) -> str:
        """The name of its receipt."""
        return f"{self.sha256[:16]}{stick.RECEIPT}"


class WrongOffsetError(Exception):
    """The next bytes do not begin where the last ones ended."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def name_of(sha256: str) -> str:
    """Return the name of a sealed file; it says nothing about what is in it."""
    return f"{sha256[:16]}{stick.SUFFIX}"


def place_of(home: Path) -> Path:
    """Return where a laptop keeps what it carries; it is there once the laptop was a courier."""
    return home / NAME


class Courier:
    """The store of one courier; many threads may use it, and other processes only to carry things out."""

    def __init__(self, home: Path, *, most_bytes: int = MOST_BYTES, spare_bytes: int = SPARE_BYTES) -> None:
        self.place = place_of(home)
        self.folder, self.back = (self.place / FOLDER / name for name in (stick.OUT, stick.BACK))
        self._partial = self.place / PARTIAL
        self._most, self._spare, self._lock = most_bytes, spare_bytes, Lock()
        try:
            for folder in (self.folder, self.back, self._partial):
                folder.mkdir(parents=True, exist_ok=True)
            self._held = {held.sha256: held for held in _receipts(self.folder)}
        except OSError as error:
            raise _trouble(error, self.place) from error

    def clean(self) -> None:
        """Remove what a killed courier had not confirmed; only who holds the place alone may do so."""
        whole = {name for held in self._held.values() for name in (held.name, held.receipt)}
        found = [path.name for path in self.folder.iterdir() if path.suffix in (stick.SUFFIX, stick.RECEIPT)]
        stick.remove(self.folder, [name for name in found if name not in whole])
        stick.remove(self.folder, [path.name for path in self.folder.glob(".*")])

    def held(self) -> list[Held]:
        """Return what is here, in no order."""
        with self._lock:
            return list(self._held.values())

    def has(self, sha256: str) -> bool:
        """Tell whether a bundle is here for good."""
        with self._lock:
            return sha256 in self._held

    def offset(self, sha256: str) -> int:
        """Return how many bytes of a bundle are here."""
        with self._lock:
            return self._offset(sha256)

    def append(self, sha256: str, offset: int, total: int, portion: bytes) -> bool:
        """Take the next bytes of a bundle; True when it is now here for good.

        Raises WrongOffsetError when others are next, RefusedError for what is none, SyncError when the disk is full.
        """
        if not 0 < total <= LARGEST_SEALED or offset + len(portion) > total:
            raise RefusedError("sealed-large", bytes=max(total, offset + len(portion)), most=LARGEST_SEALED)
        with self._lock:
            if (here := self._offset(sha256)) != offset or sha256 in self._held:
                raise WrongOffsetError(here)
            try:
                if offset == 0:
                    if not portion.startswith(_AGE_MARK[: len(portion)]):
                        raise RefusedError("sealed-not-age")
                    self._make_room(total)
                self._make_room_for_part(sha256, len(portion))
                part = self._partial / sha256
                with part.open("ab") as file:
                    file.write(portion)
                if offset + len(portion) < total:
                    return False
                self._keep(part, sha256, total)
            except OSError as error:
                raise _trouble(error, self.place) from error
            return True

    def keep_release(self, sha256: str, release: str) -> bool:
        """Note what releases a bundle, the first time it is said; False when the bundle is not here."""
        with self._lock:
            held = self._held.get(sha256)
            if held and not held.release:
                self._note(replace(held, release=release))
            return held is not None

    def release(self, name: str, secret: bytes) -> bool:
        """Remove a bundle whose device shows that it needs no carrying any more."""
        digest = hashlib.sha256(secret).hexdigest()
        with self._lock:
            for held in self._held.values():
                if held.sha256.startswith(name) and hmac.compare_digest(held.release, digest):
                    self._remove(held)
                    return True
        return False

    def note_carried(self, names: set[str]) -> None:
        """Remember that bundles were written to a stick."""
        with self._lock:
            # The receipts, not what was read before: the open courier is another process.
            for held in [each for each in _receipts(self.folder) if each.name in names]:
                self._note(replace(held, carried=held.carried + 1))

    def _offset(self, sha256: str) -> int:
        if held := self._held.get(sha256):
            return held.size
        try:
            return (self._partial / sha256).stat().st_size
        except OSError:
            return 0

    def _keep(self, part: Path, sha256: str, total: int) -> None:
        """Make a bundle count as here: bytes on the disk, then its name, then its receipt."""
        with part.open("rb+") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found == sha256:
                os.fsync(file.fileno())
        if found != sha256:
            part.unlink()
            raise WrongOffsetError(0)
        part.replace(self.folder / name_of(sha256))
        self._note(Held(sha256, total))

    def _note(self, held: Held) -> None:
        """Write the receipt; the names of both files are safe when this returns."""
        facts = {"name": held.name, "size": held.size, "sha256": held.sha256}
        content = {"format": 1, "files": [facts], "release": held.release, "carried": held.carried}
        try:
            write_atomic(self.folder / held.receipt, json.dumps(content).encode())
        except OSError as error:
            raise _trouble(error, self.place) from error
        self._held[held.sha256] = held

    def _make_room(self, total: int) -> None:
        """Let the bundles go that were carried out, the most often carried first, until a new one fits."""
        if self._used() + total > self._most or len(self._held) >= MOST_FILES:
            # What a stick has carried meanwhile, another process knows.
            self._held = {held.sha256: held for held in _receipts(self.folder)}
        used = self._used()
        leaving = sorted((held for held in self._held.values() if held.carried), key=lambda held: -held.carried)
        while used + total > self._most or len(self._held) >= MOST_FILES:
            if not leaving:
                raise SyncError("courier-full", path=self.place)
            used -= leaving[0].size
            self._remove(leaving.pop(0))
        if shutil.disk_usage(self.place).free < total + self._spare:
            raise SyncError("courier-full", path=self.place)

    def _used(self) -> int:
        return sum(held.size for held in self._held.values())

    def _make_room_for_part(self, sha256: str, more: int) -> None:
        """Let go of what was begun longest ago, when too much is begun; its device begins again."""
        parts = [(found.st_mtime_ns, found.st_size, path) for path in self._partial.iterdir() if (found := path.stat())]
        used = sum(size for _, size, _ in parts)
        for _, size, path in sorted(parts):
            if used + more <= MOST_PARTIAL_BYTES:
                return
            if path.name != sha256:
                path.unlink()
                used -= size

    def _remove(self, held: Held) -> None:
        """Remove the receipt first: a bundle without one does not count."""
        stick.remove(self.folder, [held.receipt, held.name])
        del self._held[held.sha256]


def _receipts(folder: Path) -> list[Held]:
    """Return what the receipts of a courier say; a damaged one speaks of nothing."""
    found = []
    for path in folder.glob(f"*{stick.RECEIPT}"):
        try:
            facts = json.loads(path.read_bytes())
            [file] = facts["files"]
            held = Held(str(file["sha256"]), int(file["size"]), str(facts["release"]), int(facts["carried"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if path.stem == held.sha256[:16] and _size(folder / held.name) == held.size:
            found.append(held)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _trouble(error: OSError, path: Path) -> SyncError:
    if is_full(error):
        return SyncError("courier-full", path=path)
    return SyncError("courier-trouble", path=path, reason=error.strerror or str(error))
