"""Sealed files on a stick: written so that FAT and a power cut do no harm, read as if an enemy had made it.

Names are random and say nothing. The receipt comes last: without it a file may be half written. Links,
other names and files too large are never opened. What is inside belongs to `seal`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from edge.files import is_full, sync_folder
from edge.learning.learner import new_id
from edge.stick import FOLDER
from edge.sync.errors import RefusedError, SyncError
from edge.sync.seal import LARGEST_SEALED

OUT, BACK = "ENTREGAS", "ACUSES"
SUFFIX, RECEIPT = ".age", ".json"
LARGEST_RECEIPT = 1 << 20
FAT_LIMIT = (1 << 32) - 1

_NAME = re.compile(r"[0-9a-z]{16}\.(age|json)")


@dataclass(frozen=True, slots=True)
class Found:
    """One file on a stick."""

    path: Path
    size: int
    listed: bool
    """A receipt says that it was written to its end."""

    @property
    def shown(self) -> str:
        """The name, harmless to print."""
        return ascii(self.path.name)[1:-1][:80]


def folder_on(place: Path, name: str) -> Path:
    """Return where files of one direction lie on a stick; raise SyncError when the stick is not there."""
    if not place.is_dir():
        raise SyncError("stick-absent", path=place)
    folder = (place if place.name == FOLDER else place / FOLDER) / name
    if folder.is_symlink() or folder.parent.is_symlink():
        raise SyncError("stick-link", path=folder)
    return folder


def write(folder: Path, contents: Sequence[bytes], random: Random) -> list[str]:
    """Write sealed files and, when all are whole on the stick, their receipt; return their names."""
    names = [f"{new_id(random)}{SUFFIX}" for _ in contents]
    write_as(folder, dict(zip(names, contents, strict=True)), f"{new_id(random)}{RECEIPT}")
    return names


def write_as(folder: Path, files: Mapping[str, bytes], receipt: str) -> None:
    """Write files under names of their own, none of which is there, and the receipt last."""
    facts = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    begun: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _write_one(folder / name, content, begun)
        sync_folder(folder)
        _write_one(folder / receipt, json.dumps({"format": 1, "files": facts}).encode(), begun)
        sync_folder(folder)
    except OSError as error:
        remove(folder, begun)
        raise trouble(error, folder) from error


def replace(folder: Path, stem: str, content: bytes) -> None:
    """Write one sealed file under a name it had before; the old one stays until the new one is whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{stem}.new"
        new.unlink(missing_ok=True)
        _write_one(new, content, [])
        new.replace(folder / f"{stem}{SUFFIX}")
        sync_folder(folder)
    except OSError as error:
        remove(folder, [f"{stem}.new"])
        raise trouble(error, folder) from error


def _write_one(path: Path, content: bytes, begun: list[str]) -> None:
    """Write a file that was not there, and read it back from the stick itself where the system can."""
    with path.open("xb") as file:
        begun.append(path.name)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if file.read() != content:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def remove(folder: Path, names: Iterable[str]) -> int:
    """Remove files; what cannot be removed stays and does no harm. Return how many are gone."""
    gone = 0
    for name in names:
        with suppress(OSError):
            (folder / name).unlink()
            gone += 1
    return gone


def remove_delivered(folder: Path, names: set[str]) -> int:
    """Remove files whose content the hub has, and receipts that speak of nothing else; return how many files."""
    here = {found.path.name for found in found_in(folder)} & names
    receipts = [
        path.name for path in folder.glob(f"*{RECEIPT}") if _is_receipt(path) and here >= set(_listed(path)) != set()
    ]
    gone = remove(folder, sorted(here))
    remove(folder, receipts)
    return gone


def found_in(folder: Path) -> list[Found]:
    """Return everything in a folder of a stick but receipts and what is hidden; nothing when there is no folder."""
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise trouble(error, folder) from error
    listed = {name for path in paths if _is_receipt(path) for name in _listed(path)}
    return [Found(path, _size(path), path.name in listed) for path in paths if not _is_receipt(path)]


def read(found: Found) -> bytes:
    """Return the bytes of a file; raise RefusedError for a link, another name, or too much."""
    if not _NAME.fullmatch(found.path.name):
        raise RefusedError("file-name")
    if found.size > LARGEST_SEALED:
        raise RefusedError("sealed-large", bytes=found.size, most=LARGEST_SEALED)
    return _read_plain(found.path, LARGEST_SEALED)


def _read_plain(path: Path, most: int) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RefusedError("file-kind")
            content = file.read(most + 1)
    except OSError as error:
        key = "file-kind" if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO) else "file-unreadable"
        raise RefusedError(key, reason=error.strerror or str(error)) from error
    if len(content) > most:
        raise RefusedError("sealed-large", bytes=len(content), most=most)
    return content


def _is_receipt(path: Path) -> bool:
    return path.name.endswith(RECEIPT) and _NAME.fullmatch(path.name) is not None


def _listed(path: Path) -> list[str]:
    """Return the files a receipt speaks of; one that is damaged speaks of none."""
    try:
        found = json.loads(_read_plain(path, LARGEST_RECEIPT))
        return [str(each["name"]) for each in found["files"]]
    except (RefusedError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def trouble(error: OSError, path: Path) -> SyncError:
    """Return what a person can do about a stick that does not let us."""
    if is_full(error) or error.errno == errno.EFBIG:
        return SyncError("stick-full", path=path)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return SyncError("stick-read-only", path=path)
    return SyncError("stick-trouble", path=path, reason=error.strerror or str(error))
