"""Bundles while they arrive: files that only grow, whose every confirmed byte is safe on the disk.

Several workers may add to the same one: whoever adds holds its lock. `arriving` holds `DEVICE-SHA256-LENGTH`, so
how much is expected is known before it is there, and bounded for each device and in all. What became of a whole
one lies for some days under `done`: a device whose answer was lost asks again and need not send it all again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.files import is_full, sync_folder
from edge.hub.errors import HubError
from edge.locks import hold
from edge.sync.seal import LARGEST_SEALED

MOST_PORTION = 1 << 20
KEPT_S = 14 * 86_400
"""What did not grow for so long is removed."""

DONE_DAYS = 3
_ARRIVING, _DONE, _LOCK = "arriving", "done", "lock"
_NAME = re.compile(r"([0-9a-z]{16})-([0-9a-f]{64})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be on its way."""

    device_bytes: int = 2 * LARGEST_SEALED
    device_files: int = 8
    all_bytes: int = 16 << 30
    spare_bytes: int = 256 << 20
    """What stays free on the disk, for the database."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a whole bundle."""

    state: str
    reason: str = ""


class WrongOffsetError(Exception):
    """The next bytes are not those that are missing."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class NoRoomError(Exception):
    """Too much is on its way already, of this device or in all."""


class Uploads:
    """The uploads of one hub; any number of workers use one folder."""

    def __init__(self, folder: Path, bounds: Bounds | None = None) -> None:
        self._arriving, self._done, self._lock = folder / _ARRIVING, folder / _DONE, folder / _LOCK
        self._bounds = bounds or Bounds()

    def here(self, device: str, sha256: str) -> tuple[int, Answer | None]:
        """Return how many bytes are safe here, and what became of them if they are all."""
        if done := self._answer(device, sha256):
            return done
        for path in self._arriving.glob(f"{device}-{sha256}-*"):
            with suppress(FileNotFoundError), _held(path, create=False) as handle:
                # Another worker may have been killed between writing and saying so.
                os.fsync(handle)
                return os.fstat(handle).st_size, None
        return 0, None

    def append(self, device: str, sha256: str, offset: int, length: int, portion: bytes) -> bytes | None:
        """Add the next bytes; return the whole bundle when it is here, else None.

        Raises WrongOffsetError, NoRoomError, and HubError when the disk has no room.
        """
        path = self._arriving / f"{device}-{sha256}-{length}"
        try:
            if offset == 0 and not path.exists():
                self._begin(path, device, sha256, length)
            with _held(path, create=False) as handle:
                return self._add(path, handle, sha256, offset, length, portion)
        except FileNotFoundError as error:
            raise WrongOffsetError(self.here(device, sha256)[0]) from error
        except OSError as error:
            raise _trouble(error, path) from error

    def finish(self, device: str, sha256: str, length: int, answer: Answer) -> None:
        """Note what became of a bundle, then let go of it; a refused one leaves nothing behind."""
        try:
            if answer.state != "refused":
                day = self._done / str(int(time.time() // 86_400))
                day.mkdir(parents=True, exist_ok=True)
                new = day / f".{device}-{sha256}.{os.getpid()}"
                new.write_text(f"{length} {answer.state}", encoding="ascii")
                new.replace(day / f"{device}-{sha256}")
        except OSError as error:
            # It is in the database already; without this note it is only sent again.
            if not is_full(error):
                raise _trouble(error, self._done) from error
        (self._arriving / f"{device}-{sha256}-{length}").unlink(missing_ok=True)

    def _answer(self, device: str, sha256: str) -> tuple[int, Answer] | None:
        today = int(time.time() // 86_400)
        for day in range(today, today - DONE_DAYS, -1):
            with suppress(OSError, ValueError):
                length, state = (self._done / str(day) / f"{device}-{sha256}").read_text(encoding="ascii").split()
                return int(length), Answer(state)
        return None

    def _begin(self, path: Path, device: str, sha256: str, length: int) -> None:
        """Make room for one more, and its name safe; one worker at a time, or the sums would be wrong."""
        self._arriving.mkdir(parents=True, exist_ok=True)
        with _held(self._lock, create=True):
            if done := self._answer(device, sha256):
                # Another worker finished it a moment ago: begun anew, nobody would ever end it.
                raise WrongOffsetError(done[0])
            self._sweep()
            found = [match for path in self._arriving.iterdir() if (match := _NAME.fullmatch(path.name))]
            mine = [int(each[3]) for each in found if each[1] == device]
            if any(each[1] == device and each[2] == sha256 for each in found):
                raise WrongOffsetError(self.here(device, sha256)[0])
            bounds = self._bounds
            total = sum(int(each[3]) for each in found) + length
            if len(mine) >= bounds.device_files or sum(mine) + length > bounds.device_bytes or total > bounds.all_bytes:
                raise NoRoomError
            if shutil.disk_usage(self._arriving).free < length + bounds.spare_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            path.touch(mode=0o600)
            sync_folder(self._arriving)

    def _sweep(self) -> None:
        """Remove what nobody goes on with, and notes of days gone by."""
        now = time.time()
        for path in self._arriving.iterdir():
            with suppress(OSError):
                if now - path.stat().st_mtime > KEPT_S:
                    path.unlink()
        days = [path for path in self._done.iterdir() if path.name.isdecimal()] if self._done.is_dir() else []
        for path in days:
            if int(path.name) <= now // 86_400 - DONE_DAYS:
                shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def _add(path: Path, handle: int, sha256: str, offset: int, length: int, portion: bytes) -> bytes | None:
        size = os.fstat(handle).st_size
        if size != offset or offset + len(portion) > length:
            raise WrongOffsetError(size)
        try:
            _write(handle, offset, portion)
            os.fsync(handle)
        except OSError:
            # Half a portion, on a full disk, was confirmed to nobody.
            os.ftruncate(handle, offset)
            raise
        if offset + len(portion) < length:
            return None
        content = b"".join(iter(lambda: os.read(handle, 1 << 20), b""))
        if hashlib.sha256(content).hexdigest() != sha256:
            # Whoever sends it again sends all of it: nobody can say which part is wrong.
            path.unlink()
            raise WrongOffsetError(0)
        return content


def _write(handle: int, offset: int, portion: bytes) -> None:
    os.lseek(handle, offset, os.SEEK_SET)
    left = memoryview(portion)
    while left:
        left = left[os.write(handle, left) :]
    os.lseek(handle, 0, os.SEEK_SET)


@contextmanager
def _held(path: Path, *, create: bool) -> Iterator[int]:
    """Open a file that nobody else has open like this; who is killed lets go."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | (os.O_CREAT if create else 0)
    handle = os.open(path, flags, 0o600)
    try:
        hold(handle)
        if path.stat().st_ino != os.fstat(handle).st_ino:
            # Another worker finished it, and perhaps began it anew, while this one waited.
            raise FileNotFoundError(path)
        yield handle
    finally:
        os.close(handle)


def _trouble(error: OSError, path: Path) -> HubError:
    if is_full(error) or error.errno == errno.EFBIG:
        return HubError("hub-full", path=path.parent)
    return HubError("hub-disk", path=path.parent, reason=error.strerror or str(error))
