"""Disks for tests: files behind loop devices, and a disk that lies about its size."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devkit.disks.attached import attached_disks
from devkit.disks.disk import Disk, parse_disks

SECTOR = 512
LAPTOP = Path(__file__).parent / "data" / "lsblk-laptop.json"


def laptop() -> dict[str, Disk]:
    """Return the disks of a laptop with everything that can be attached to one."""
    return {disk.path: disk for disk in parse_disks(json.loads(LAPTOP.read_bytes()))}


def has_loops() -> bool:
    """Tell whether this machine lets us attach loop devices."""
    ready = os.name == "posix" and os.geteuid() == 0 and shutil.which("losetup") and shutil.which("lsblk")
    return bool(ready) and subprocess.run(["losetup", "--find"], capture_output=True, check=False).returncode == 0


needs_loops = pytest.mark.skipif(not has_loops(), reason="needs root and loop devices (losetup)")


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a system program is missing, naming it."""
    missing = [name for name in programs if not (shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin"))]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Loop:
    """A file that poses as a disk."""

    path: str
    file: Path

    @property
    def serial(self) -> str:
        return self.file.name

    @property
    def disk(self) -> Disk:
        return next(disk for disk in attached_disks() if disk.path == self.path)

    def content(self) -> bytes:
        """Return what is on it, past the loop device."""
        return self.file.read_bytes()


@contextmanager
def loop(file: Path, size: int, filling: bytes = b"old content of somebody ") -> Iterator[Loop]:
    """Attach a new file of this size, full of what an older owner left."""
    if filling:
        with file.open("wb") as target:
            target.write((filling * (size // len(filling) + 1))[:size])
    with attached(file) as path:
        yield Loop(path, file)


@contextmanager
def attached(file: Path) -> Iterator[str]:
    """Attach an existing file."""
    command = ["losetup", "--find", "--show", "--direct-io=on", str(file)]
    path = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield path
    finally:
        subprocess.run(["losetup", "--detach", path], check=False, capture_output=True)


@contextmanager
def loops(folder: Path, count: int, size: int) -> Iterator[list[Loop]]:
    """Attach several, named t0.img, t1.img ..."""
    with ExitStack() as stack:
        yield [stack.enter_context(loop(folder / f"t{at}.img", size)) for at in range(count)]


class LyingDevice:
    """A counterfeit stick: says `size`, holds `real`. What lies beyond wraps around, or vanishes.

    The kernel here has no device mapper to make a real one of; what it does is what such chips do.
    """

    def __init__(self, size: int, real: int, *, wraps: bool) -> None:
        self.size, self.sector, self._real, self._wraps = size, SECTOR, real, wraps
        self._sectors: dict[int, bytes] = {}

    @property
    def used(self) -> int:
        """Return how many sectors hold anything."""
        return len(self._sectors)

    def write(self, offset: int, data: memoryview) -> None:
        for at in range(0, len(data), SECTOR):
            if (place := self._place(offset + at)) is not None:
                self._sectors[place] = bytes(data[at : at + SECTOR])

    def zero(self, offset: int, length: int) -> None:
        self.write(offset, memoryview(bytes(length)))

    def read(self, offset: int, into: memoryview) -> None:
        for at in range(0, len(into), SECTOR):
            place = self._place(offset + at)
            into[at : at + SECTOR] = bytes(SECTOR) if place is None else self._sectors.get(place, bytes(SECTOR))

    def settle(self) -> None:
        """It has no cache."""

    def close(self) -> None:
        """It is no file."""

    def _place(self, offset: int) -> int | None:
        if offset >= self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if offset < self._real:
            return offset
        return offset % self._real if self._wraps else None
