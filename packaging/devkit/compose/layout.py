"""The shape of a data stick: one partition behind a table, and which bytes of its file system count.

Pure: numbers and boot sectors come in, bytes and ranges come out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from devkit.errors import KitError
from devkit.stick import DataStick, Filesystem, PlannedFile
from devkit.write.chunks import HEAD_BYTES, SECTOR_BYTES, BlockMap, Range, merged

PARTITION_TYPES: dict[Filesystem, int] = {"fat32": 0x0C, "exfat": 0x07}
SAME_SIZE_BYTES = 64 << 20
"""Sticks of one nominal size differ a little: rounded down to this, they share one composed image."""

TAIL_BYTES = 1 << 20
"""Left free at the end, where an old backup table is wiped."""

LEAST_FAT32 = 65525 * SECTOR_BYTES + (4 << 20)
"""Below so many clusters a computer takes it for FAT16."""

LARGEST_TABLE = 2 << 40
SPARE = 0.01
"""What tables and folders take beside the files' own clusters."""


def volume_bytes(disk_size: int) -> int:
    """Return the size of the file system on a disk of this size."""
    usable = disk_size - HEAD_BYTES - TAIL_BYTES
    rounded = usable // SAME_SIZE_BYTES * SAME_SIZE_BYTES
    return rounded if rounded >= 4 * SAME_SIZE_BYTES else usable // HEAD_BYTES * HEAD_BYTES


def needed_bytes(stick: DataStick) -> int:
    """Return the least disk that holds these files, estimated from above: 32 KiB clusters, tables, folders."""
    cluster = 32 << 10 if stick.size > 1 << 30 else 4096
    folders = {file.path[:at] for file in stick.files for at, letter in enumerate(file.path) if letter == "/"}
    taken = sum(-(-file.size // cluster) * cluster for file in stick.files) + (len(folders) + 4) * cluster
    least = LEAST_FAT32 if stick.filesystem == "fat32" else 8 << 20
    return max(int(taken * (1 + SPARE)) + (2 << 20), least) + HEAD_BYTES + TAIL_BYTES


def volume_id(files: Iterable[PlannedFile], name: str = "") -> int:
    """Return a serial number for these files, always the same; with a name, that of one stick."""
    import hashlib

    text = "\n".join([name, *sorted(f"{file.path} {file.sha256}" for file in files)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") | 1


def partition_table(filesystem: Filesystem, volume_size: int, signature: int) -> bytes:
    """Return the first megabyte of the stick: an MBR with one partition, which begins right after it."""
    if HEAD_BYTES + volume_size > LARGEST_TABLE:
        raise KitError("compose-large", size=f"{volume_size / 1e12:.1f}")
    start, count = HEAD_BYTES // SECTOR_BYTES, volume_size // SECTOR_BYTES
    # The old cylinder numbers are out of range, which FE FF FF says.
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", PARTITION_TYPES[filesystem], b"\xfe\xff\xff", start, count)
    table = bytes(440) + struct.pack("<I", signature) + bytes(2) + entry + bytes(48) + b"\x55\xaa"
    return table.ljust(HEAD_BYTES, b"\0")


def geometry(boot: bytes) -> tuple[int, int]:
    """Return where the files' own area begins in a FAT32 or exFAT volume, and its cluster size, in bytes."""
    if boot[3:11] == b"EXFAT   ":
        (heap,) = struct.unpack_from("<I", boot, 88)
        return heap << boot[108], 1 << (boot[108] + boot[109])
    sector, per_cluster, reserved, tables = struct.unpack_from("<HBHB", boot, 11)
    (table,) = struct.unpack_from("<I", boot, 36)
    return (reserved + tables * table) * sector, per_cluster * sector


def block_map(boot: bytes, volume_size: int, data: Iterable[Range]) -> BlockMap:
    """Return which bytes of the stick count: the tables wholly, then every cluster with content.

    Whole clusters, because a folder's cluster must not end in what an older stick left there.
    """
    heap, cluster = geometry(boot)
    used = [(0, heap)]
    for start, stop in data:
        if stop > heap:
            first = (max(start, heap) - heap) // cluster
            used.append((heap + first * cluster, min(heap + -(-(stop - heap) // cluster) * cluster, volume_size)))
    moved = [(start + HEAD_BYTES, stop + HEAD_BYTES) for start, stop in merged(used)]
    return BlockMap(HEAD_BYTES + volume_size, merged([(0, HEAD_BYTES), *moved]))
