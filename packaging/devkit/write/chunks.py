"""What is written where, in which order: the map of one source on one disk, cut into chunks.

Pure. The first megabyte comes last: a stick that was left half written has no partition table,
so that no computer takes it for a finished one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHUNK_BYTES = 4 << 20
HEAD_BYTES = 1 << 20
"""Where partition tables are, at both ends: GPT keeps a second one in the last sectors."""

GRAIN_BYTES = 4096
SECTOR_BYTES = 512

Range = tuple[int, int]
"""From, and up to but not with; in bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the disk that is written, read back and compared as one."""

    offset: int
    length: int
    zeros: bool
    """Nothing but zeros: a hole that counts, or what an older table is wiped with."""


@dataclass(frozen=True, slots=True)
class BlockMap:
    """Which bytes of a source count."""

    size: int
    content: tuple[Range, ...]
    zeros: tuple[Range, ...] = ()
    """Holes that must read as zeros. What is in neither may hold anything."""


def whole(size: int, data: Iterable[Range]) -> BlockMap:
    """Return the map of an image of which every byte counts, and which has content only in `data`."""
    content = merged(_rounded(data, size))
    return BlockMap(size, content, _between(content, 0, padded(size)))


def content_chunks(blocks: BlockMap) -> tuple[Chunk, ...]:
    """Return what is copied from the source, in order of place; the same for every disk."""
    ranges = merged(_rounded(blocks.content, blocks.size))
    return tuple(Chunk(start, stop - start, False) for a in ranges for start, stop in _cut(a))


def chunks_for(blocks: BlockMap, disk_size: int) -> tuple[Chunk, ...]:
    """Return everything that is written on a disk of this size, in order of writing."""
    content = content_chunks(blocks)
    taken = merged((chunk.offset, chunk.offset + chunk.length) for chunk in content)
    ends = ((0, min(HEAD_BYTES, disk_size)), (max(0, disk_size - HEAD_BYTES), disk_size))
    blank = [gap for start, stop in (*blocks.zeros, *ends) for gap in _between(taken, start, stop)]
    zeros = [Chunk(start, stop - start, True) for a in merged(blank) for start, stop in _cut(a)]
    return tuple(sorted((*content, *zeros), key=lambda chunk: (chunk.offset < HEAD_BYTES, chunk.offset)))


def free_ranges(chunks: Iterable[Chunk], disk_size: int) -> tuple[Range, ...]:
    """Return the parts of a disk that no chunk touches."""
    return _between(merged((chunk.offset, chunk.offset + chunk.length) for chunk in chunks), 0, disk_size)


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Return the same bytes as few, ordered ranges."""
    found: list[Range] = []
    for start, stop in sorted(a for a in ranges if a[0] < a[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)


def padded(size: int) -> int:
    """Return a size rounded up to whole sectors."""
    return -(-size // SECTOR_BYTES) * SECTOR_BYTES


def _rounded(ranges: Iterable[Range], size: int) -> list[Range]:
    """Return the ranges grown to whole pages, but not beyond the end."""
    end = padded(size)
    return [
        (start // GRAIN_BYTES * GRAIN_BYTES, min(-(-stop // GRAIN_BYTES) * GRAIN_BYTES, end)) for start, stop in ranges
    ]


def _between(taken: Sequence[Range], start: int, stop: int) -> tuple[Range, ...]:
    """Return what of `start` to `stop` is not taken."""
    gaps: list[Range] = []
    at = start
    for a, b in taken:
        if b <= at or a >= stop:
            continue
        if a > at:
            gaps.append((at, a))
        at = max(at, b)
    if at < stop:
        gaps.append((at, stop))
    return tuple(gaps)


def _cut(a: Range) -> Iterable[Range]:
    """Yield pieces that end at multiples of a chunk, and at the end of the head."""
    start, stop = a
    while start < stop:
        border = HEAD_BYTES if start < HEAD_BYTES else (start // CHUNK_BYTES + 1) * CHUNK_BYTES
        yield start, min(border, stop)
        start = min(border, stop)
