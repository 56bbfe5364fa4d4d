"""Bring one source onto one disk and read it back: probe, write, probe again, compare.

Acts on a `Device` only. Returning means that every chunk was read from the medium after the last
byte was written, and had the right hash. Which disk, and the receipt, belong to `job`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from devkit.errors import KitError
from devkit.write import probe
from devkit.write.chunks import CHUNK_BYTES, Chunk, chunks_for, free_ranges
from devkit.write.device import Device, aligned
from devkit.write.source import OpenSource
from devkit.write.survey import Survey

SETTLE_S = 15.0
"""How much writing a power cut may cost."""

Phase = Literal["probe", "resume", "write", "check"]


class Watch(Protocol):
    """Whoever is told how one stick goes on: a bar on a terminal, or lines."""

    def moved(self, phase: Phase, done: int, total: int) -> None:
        """So many bytes of `total` in this phase."""


class Memory(Protocol):
    """Where it is kept how far a write came."""

    def done(self) -> int | None:
        """Return the chunks that an earlier write left behind; None when there was none."""

    def note(self, done: int) -> None:
        """Remember that so many chunks are on the medium."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What reached a disk and was found there."""

    written: int
    """Bytes, in this run; what an earlier one had left right is not among them."""

    verified: int
    blank: int
    """Bytes of the disk that hold nothing of ours; whatever is there was not looked at."""

    probe_s: float
    write_s: float
    check_s: float


class Passage:
    """One source on its way to one disk."""

    def __init__(
        self, device: Device, disk: str, survey: Survey, watch: Watch, stop: threading.Event, run: bytes
    ) -> None:
        self._device, self._disk, self._survey, self._watch, self._stop, self._run = (
            device,
            disk,
            survey,
            watch,
            stop,
            run,
        )
        self.chunks = chunks_for(survey.source.blocks, device.size)
        self._total = sum(chunk.length for chunk in self.chunks)
        self._buffer = aligned(CHUNK_BYTES)
        self.at = 0
        """Where it was working, for whoever explains a failure."""

    def go(self, memory: Memory, settle_s: float = SETTLE_S, clock: Callable[[], float] = time.monotonic) -> Passed:
        """Write and verify; raise KitError or OSError when the disk does not hold what it was given."""
        began, before = clock(), memory.done()
        if before is None:
            self._first_probe()
        probed = clock()
        memory.note(before or 0)
        wrong = self._wrong_before(self.chunks[: before or 0])
        written = self._write((*wrong, *self.chunks[before or 0 :]), before or 0, len(wrong), memory, settle_s, clock)
        free = free_ranges(self.chunks, self._device.size)
        places = probe.addresses(free)
        probe.plant(self._device, places, self._run)
        self._device.settle()
        between = clock()
        self._survey.finished()
        self.compare()
        probe.harvest(self._device, places, self._run, self._disk)
        blank = sum(stop - start for start, stop in free)
        return Passed(written, self._total, blank, probed - began, between - probed, clock() - between)

    def compare(self) -> None:
        """Read every chunk from the medium; raise KitError at the first that is not what it must be."""
        if found := self._differing(self.chunks, "check", first_only=True):
            raise KitError("stick-differs", disk=self._disk, at=f"{found[0].offset / 1e6:.1f}")

    def _first_probe(self) -> None:
        """Everything on the disk is about to go; find out first whether it can hold anything."""
        places = probe.addresses([(0, self._device.size)])
        self._watch.moved("probe", 0, len(places))
        probe.plant(self._device, places, self._run)
        self._device.settle()
        probe.harvest(self._device, places, self._run, self._disk)

    def _wrong_before(self, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """Return which of the chunks that an earlier write claims are not on the medium."""
        return self._differing(chunks, "resume", first_only=False)

    def _differing(self, chunks: Sequence[Chunk], phase: Phase, *, first_only: bool) -> tuple[Chunk, ...]:
        wrong: list[Chunk] = []
        done, total = 0, sum(chunk.length for chunk in chunks)
        for chunk in chunks:
            self._here(chunk)
            view = self._buffer[: chunk.length]
            self._device.read(chunk.offset, view)
            if hashlib.sha256(view).digest() != self._survey.digest(chunk):
                wrong.append(chunk)
                if first_only:
                    break
            done += chunk.length
            self._watch.moved(phase, done, total)
        return tuple(wrong)

    def _write(
        self,
        chunks: Sequence[Chunk],
        before: int,
        again: int,
        memory: Memory,
        settle_s: float,
        clock: Callable[[], float],
    ) -> int:
        """Write the chunks, the first `again` of which the journal already counts; return the bytes."""
        source = OpenSource(self._survey.source)
        written, settled = 0, clock()
        there = self._total - sum(chunk.length for chunk in chunks)
        try:
            for number, chunk in enumerate(chunks, 1):
                self._here(chunk)
                if chunk.zeros:
                    self._device.zero(chunk.offset, chunk.length)
                else:
                    view = self._buffer[: chunk.length]
                    source.read(chunk.offset, view)
                    self._device.write(chunk.offset, view)
                written += chunk.length
                self._watch.moved("write", there + written, self._total)
                if number >= again and clock() - settled > settle_s:
                    self._device.settle()
                    memory.note(before + number - again)
                    settled = clock()
        finally:
            source.close()
        return written

    def _here(self, chunk: Chunk) -> None:
        self.at = chunk.offset
        if self._stop.is_set():
            raise KitError("write-stopped")
