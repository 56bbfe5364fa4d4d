"""A disk to write: bytes at places, past every cache.

`Device` is what writing needs of a disk; `FileDevice` is a real one. The tests have another, which
lies about its size as counterfeit sticks do. Which disk may be opened belongs to `disks.choice`.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import struct
import sys
from pathlib import Path
from typing import Protocol

from devkit.errors import KitError

BLKZEROOUT, BLKFLSBUF, BLKGETSIZE64, BLKSSZGET = 0x127F, 0x1261, 0x80081272, 0x1268
GONE = (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM)
ZERO_BYTES = 1 << 20


class Device(Protocol):
    """What writing needs of a disk. Offsets and lengths are whole sectors; every call may raise OSError."""

    @property
    def size(self) -> int:
        """Bytes, as the disk claims."""

    @property
    def sector(self) -> int:
        """The smallest piece it can write, in bytes."""

    def write(self, offset: int, data: memoryview) -> None:
        """Write all of `data`, which lies in a buffer of `aligned`."""

    def zero(self, offset: int, length: int) -> None:
        """Make this stretch read as zeros."""

    def read(self, offset: int, into: memoryview) -> None:
        """Fill `into`, a buffer of `aligned`, from the medium itself."""

    def settle(self) -> None:
        """Return when everything written is on the medium and no cache remembers it."""

    def close(self) -> None:
        """Let the disk go."""


def aligned(length: int) -> memoryview:
    """Return a buffer that starts at a page, as direct reading and writing demand."""
    return memoryview(mmap.mmap(-1, length))


class FileDevice:
    """A block device, opened for us alone and past the page cache."""

    def __init__(self, path: str, *, writing: bool) -> None:
        if sys.platform != "linux":
            raise KitError("disk-linux-only", system=sys.platform)
        self._path = path
        mode = os.O_RDWR | os.O_EXCL if writing else os.O_RDONLY
        try:
            self._fd = os.open(path, mode | os.O_DIRECT | os.O_CLOEXEC)
        except OSError as error:
            raise disk_trouble(error, path, 0) from error
        self.size, self.sector = self._measure()

    def write(self, offset: int, data: memoryview) -> None:
        """Write all of `data`; a full or dying disk raises OSError."""
        while data:
            moved = os.pwritev(self._fd, [data], offset)
            if moved == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data, offset = data[moved:], offset + moved

    def zero(self, offset: int, length: int) -> None:
        """Make this stretch read as zeros; the kernel knows the quickest way, where it knows one."""
        import fcntl

        try:
            fcntl.ioctl(self._fd, BLKZEROOUT, struct.pack("QQ", offset, length))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL):
                raise
            blank = aligned(ZERO_BYTES)
            for at in range(offset, offset + length, ZERO_BYTES):
                self.write(at, blank[: min(ZERO_BYTES, offset + length - at)])

    def read(self, offset: int, into: memoryview) -> None:
        """Fill `into` from the medium; a short disk raises OSError."""
        while into:
            moved = os.preadv(self._fd, [into], offset)
            if moved == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            into, offset = into[moved:], offset + moved

    def settle(self) -> None:
        """Flush the disk's own cache and drop the kernel's."""
        import fcntl

        os.fsync(self._fd)
        if self._is_block:
            fcntl.ioctl(self._fd, BLKFLSBUF, 0)

    def close(self) -> None:
        """Let the disk go."""
        os.close(self._fd)

    def _measure(self) -> tuple[int, int]:
        import fcntl

        found = os.fstat(self._fd)
        self._is_block = stat.S_ISBLK(found.st_mode)
        if not self._is_block:
            os.close(self._fd)
            raise KitError("disk-kind", disk=self._path, kind="file")
        (size,) = struct.unpack("Q", fcntl.ioctl(self._fd, BLKGETSIZE64, bytes(8)))
        (sector,) = struct.unpack("I", fcntl.ioctl(self._fd, BLKSSZGET, bytes(4)))
        return size, sector


def disk_trouble(error: OSError, path: str | Path, offset: int) -> KitError:
    """Turn what the system says of a disk into a sentence."""
    disk = str(path)
    if error.errno in (errno.EBUSY,):
        return KitError("disk-busy", disk=disk)
    if error.errno in (errno.EACCES, errno.EPERM):
        return KitError("disk-permission", disk=disk)
    if error.errno == errno.EROFS:
        return KitError("disk-read-only", disk=disk)
    if error.errno in GONE or error.errno == errno.ENOENT:
        return KitError("disk-gone", disk=disk)
    return KitError("disk-failed", disk=disk, reason=error.strerror or str(error), at=f"{offset / 1e6:.1f}")
