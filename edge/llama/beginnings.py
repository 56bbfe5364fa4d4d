"""Beginnings of conversations that were read once, kept on disk so that they are never read again.

A beginning counts for exactly one model file, one way of running it and one llama.cpp; anything else gives it
another name, so it is simply not found. A file whose checksum is wrong, or that does not load, is deleted and read
anew. The folder has a budget: what was not used for longest goes first.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.files import BLOCK_BYTES, sync_folder
from edge.llama.brake import Stop, never
from edge.llama.history import common
from edge.tutor.tuning import llama_version

SUFFIX = ".kv"
BUDGET_BYTES = 512 << 20
LEAST_TOKENS = 64
"""Reading fewer takes less time than opening a file on an old disk."""

LEAST_FREE_BYTES = 256 << 20
LEFT_AFTER_S = 600.0


class Memory(Protocol):
    """What a model has read: of the one who talks to it, or of one of many."""

    @property
    def past(self) -> list[int]:
        """The tokens in memory."""
        ...

    def save(self, path: Path, length: int) -> bool:
        """Write the memory of the first `length` tokens to a file; False when that cannot be."""
        ...

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Take the memory of `tokens` from a file, in place of what was there; False when it does not fit."""
        ...


def key_of(model_sha256: str, context_tokens: int, extra: str = "") -> str:
    """Name a model, its llama.cpp and the form of its memory; `extra` is what else changes it (an adapter)."""
    return "\n".join((model_sha256, llama_version(), str(context_tokens), "f16", extra))


@dataclass(frozen=True, slots=True)
class Beginnings:
    """A folder of them for one loaded model."""

    folder: Path
    key: str
    """Names model, llama.cpp and everything about the memory's form."""

    budget_bytes: int = BUDGET_BYTES

    def recall(self, reading: Memory, tokens: Sequence[int], stop: Stop = never) -> None:
        """Put `tokens`, a whole beginning, in memory from disk, if it is there and not in memory already."""
        if len(tokens) < LEAST_TOKENS or common(reading.past, tokens) == len(tokens):
            return
        for path in self._found(tokens):
            with suppress(OSError):
                if _checksum(path, stop) == path.stem.rpartition("-")[2] and reading.load(path, tokens):
                    os.utime(path)
                    return
            if stop():
                return
            path.unlink(missing_ok=True)

    def keep(self, reading: Memory, length: int) -> bool:
        """Write the first `length` tokens that were read to disk if they are not there yet; tell whether they are there now."""
        if length < LEAST_TOKENS:
            return False
        tokens = reading.past[:length]
        return self.has(tokens) or self.settle(self.write(reading, length), tokens)

    def write(self, reading: Memory, length: int) -> Path | None:
        """Write a beginning to a file that does not count yet; None when there is no room for it."""
        fresh = self.folder / f"{self._name(reading.past[:length])}.{os.getpid()}.new"
        # It only saves time: without it the beginning is read again.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.folder).free >= LEAST_FREE_BYTES and reading.save(fresh, length):
                return fresh
            fresh.unlink(missing_ok=True)
        return None

    def settle(self, fresh: Path | None, tokens: Sequence[int]) -> bool:
        """Let a file that was written count from now on; this waits for the disk and not for the model."""
        if fresh is None:
            return False
        try:
            with fresh.open("rb+") as file:
                os.fsync(file.fileno())
            fresh.replace(self.folder / f"{self._name(tokens)}-{_checksum(fresh)}{SUFFIX}")
            sync_folder(self.folder)
            self._make_room()
        except OSError:
            return False
        return True

    def has(self, tokens: Sequence[int]) -> bool:
        """Tell whether this beginning is on disk."""
        return bool(self._found(tokens))

    def use(self, tokens: Sequence[int]) -> Path | None:
        """Count this beginning as just used; return its file, or None when it is not there or damaged, and then it is gone."""
        for path in self._found(tokens):
            with suppress(OSError):
                if _checksum(path) == path.stem.rpartition("-")[2]:
                    os.utime(path)
                    return path
            path.unlink(missing_ok=True)
        return None

    def _found(self, tokens: Sequence[int]) -> list[Path]:
        return sorted(self.folder.glob(f"{self._name(tokens)}-*{SUFFIX}"))

    def _name(self, tokens: Sequence[int]) -> str:
        content = f"{self.key}\n{json.dumps(list(tokens), separators=(',', ':'))}".encode()
        return hashlib.sha256(content).hexdigest()[:40]

    def _make_room(self) -> None:
        """Delete the least recently used until the rest fits, and what a power cut left half written."""
        found = sorted(((s := p.stat()).st_mtime, s.st_size, p) for p in self.folder.glob(f"*{SUFFIX}"))
        total = sum(size for _, size, _ in found)
        for _, size, path in found[:-1]:
            if total <= self.budget_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        for left in self.folder.glob("*.new"):
            # A young one may be another program's, which is still writing.
            if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
                left.unlink(missing_ok=True)


def _checksum(path: Path, stop: Stop = never) -> str:
    """Return the CRC-32 of a file, no right one when stopped: only a failing disk or a power cut changes our own files."""
    found = 0
    with path.open("rb") as file:
        while not stop() and (block := file.read(BLOCK_BYTES)):
            found = zlib.crc32(block, found)
    return f"{found:08x}"
