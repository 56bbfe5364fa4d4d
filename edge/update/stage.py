"""Put the files of a release together in a folder beside the old one, each read again and compared before it counts.

What a cut leaves is taken up: whole files stay, of the others every part that is still right. Nothing
here is trusted because it lies on our disk; a damaged old file only means that more must be brought.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from edge.files import BLOCK_BYTES, sha256_of, sync_folder
from edge.release.contents import Part, ReleaseFile
from edge.update.errors import UpdateError
from edge.update.plan import Here, Place, Plan, Step

FetchPart = Callable[[str, int], bytes]
"""Bring bytes of a SHA-256 and a size from the release, compared already."""

Moved = Callable[[int, int], None]
"""Told how many bytes of how many are in place; what it raises ends the update, to be taken up later."""


def stage(plan: Plan, here: Here, staging: Path, fetch: FetchPart, moved: Moved) -> int:
    """Make every file of the plan in `staging`; return the bytes that had to be brought."""
    done = 0
    bench = _Bench(here.copy(), staging, fetch, lambda at: moved(done + at, plan.size))
    _forget_strangers(staging, {staging / step.file.path for step in plan.steps})
    for step in plan.steps:
        bench.make(step)
        done += step.file.size
        moved(done, plan.size)
    for folder in [staging, *(path for path in staging.rglob("*") if path.is_dir())]:
        sync_folder(folder)
    return bench.brought


def missing_bytes(plan: Plan, here: Here, staging: Path) -> int:
    """Return how much room the files of the plan still need; what an interrupted update left counts as here."""
    linking = can_link(staging.parent)
    return sum(
        max(0, step.file.size - _size(staging / step.file.path))
        for step in plan.steps
        if not (step.way == "keep" and linking and _is_below(here, step, staging.parent))
    )


def can_link(folder: Path) -> bool:
    """Tell whether the disk can give a file two names; FAT cannot."""
    if not folder.is_dir():
        return True
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".link.") as file:
            second = Path(f"{file.name}.2")
            os.link(file.name, second)
            second.unlink()
    except OSError:
        return False
    return True


def _is_below(here: Here, step: Step, releases: Path) -> bool:
    """Tell whether a kept file may be linked; two equal files of one release are links too."""
    place = here.files.get(step.file.sha256)
    return place is None or place.path.is_relative_to(releases)


class _Bench:
    """The files made so far, and what they are made from."""

    def __init__(self, here: Here, staging: Path, fetch: FetchPart, reached: Callable[[int], None]) -> None:
        self.here, self.staging, self.fetch = here, staging, fetch
        self.reached = reached
        """Told how far the file is that is being made."""

        self.brought = 0

    def make(self, step: Step) -> None:
        """Make one file by its way; where what is here turns out damaged, by the next one."""
        file, target = step.file, self.staging / step.file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        done = (
            is_right(target, file)
            or (step.way == "keep" and self._keep(file, target))
            or (step.way == "delta" and self._mend(step, target))
            or self._put_together(file, target)
        )
        if not done:
            raise UpdateError("update-wrong", name=file.path)
        self.here.add(target, file.sha256, file.size, file.parts)

    def _keep(self, file: ReleaseFile, target: Path) -> bool:
        """Take the whole file from where it is: a second name where the disk can, else a copy."""
        place = self.here.files[file.sha256]
        target.unlink(missing_ok=True)
        try:
            if self._may_link(place.path, file):
                os.link(place.path, target)
                if is_right(target, file):
                    return True
        except OSError:
            pass  # this disk knows no second names
        target.unlink(missing_ok=True)
        if _size(place.path) != file.size:
            return False
        with place.path.open("rb") as source, _opened(target, file.mode) as copy:
            shutil.copyfileobj(source, copy, BLOCK_BYTES)
        with suppress(OSError):
            # The library knows an unchanged pack by its times, and keeps its index.
            os.utime(target, ns=(place.path.stat().st_atime_ns, place.path.stat().st_mtime_ns))
        return is_right(target, file)

    def _may_link(self, path: Path, file: ReleaseFile) -> bool:
        """Tell whether two names may share the bytes: outside the releases somebody may write over them in place."""
        same_rights = os.name != "posix" or (path.stat().st_mode & 0o100) == (file.mode & 0o100)
        return same_rights and path.is_relative_to(self.staging.parent)

    def _mend(self, step: Step, target: Path) -> bool:
        """Make the file from an older one and a delta."""
        if step.delta is None:
            return False
        old = _read(self.here.files[step.delta.base])
        if hashlib.sha256(old).hexdigest() != step.delta.base:
            return False
        delta = self._bring(step.delta.sha256, step.delta.size)
        with _opened(target, step.file.mode) as file:
            file.truncate(0)
            file.writelines(patched(old, delta, step.file.size))
        return is_right(target, step.file)

    def _put_together(self, file: ReleaseFile, target: Path) -> bool:
        """Write part after part; those that an earlier try left and are right stay."""
        with _opened(target, file.mode) as out:
            at = 0
            for part in file.parts:
                out.seek(at)
                if hashlib.sha256(out.read(part.size)).hexdigest() != part.sha256:
                    out.seek(at)
                    out.write(self._part(part))
                at += part.size
                self.reached(at)
            out.truncate(at)
        return is_right(target, file)

    def _part(self, part: Part) -> bytes:
        place = self.here.parts.get(part.sha256)
        if place is not None:
            found = _read(place)
            if hashlib.sha256(found).hexdigest() == part.sha256:
                return found
        return self._bring(part.sha256, part.size)

    def _bring(self, sha256: str, size: int) -> bytes:
        found = self.fetch(sha256, size)
        self.brought += size
        return found


def patched(old: bytes, delta: bytes, size: int) -> list[bytes]:
    """Return what a delta makes of the old bytes, at most `size` bytes; less when it is none."""
    import zstandard

    words = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    blocks, left = [], size
    try:
        with zstandard.ZstdDecompressor(dict_data=words, max_window_size=1 << 31).stream_reader(delta) as reader:
            while left and (block := reader.read(min(BLOCK_BYTES, left))):
                blocks.append(block)
                left -= len(block)
    except zstandard.ZstdError:
        return []
    return blocks


def is_right(path: Path, file: ReleaseFile) -> bool:
    """Read a file again and compare it with what the release says."""
    try:
        return path.stat().st_size == file.size and not path.is_symlink() and sha256_of(path) == file.sha256
    except OSError:
        return False


@contextmanager
def _opened(path: Path, mode: int) -> Iterator[IO[bytes]]:
    """Open a file for reading and writing, with its rights from the first byte on, and let nothing of it be lost."""
    if path.is_symlink() or (path.exists() and path.stat().st_nlink > 1):
        # Writing would change another release too.
        path.unlink()
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
        if os.name == "posix":
            with suppress(OSError):  # FAT knows no rights
                os.fchmod(file.fileno(), mode & 0o755)
        yield file
        file.flush()
        os.fsync(file.fileno())


def _read(place: Place) -> bytes:
    """Return the bytes at a place, fewer when the file is not what it was."""
    try:
        with place.path.open("rb") as file:
            file.seek(place.offset)
            return file.read(place.size)
    except OSError:
        return b""


def _forget_strangers(staging: Path, ours: set[Path]) -> None:
    """Remove what an older plan left in the folder: only what the release names may stay."""
    folders = {folder for path in ours for folder in path.parents}
    for path in sorted(staging.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if path not in folders:
                shutil.rmtree(path)
        elif path not in ours:
            path.unlink()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
