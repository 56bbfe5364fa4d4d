"""What goes on a disk: an image, or a partition table followed by a file system we composed.

Reads only. Which bytes of it count is its block map; what they must hash to is found by `survey`.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from devkit.errors import KitError
from devkit.write.chunks import BlockMap, Range, whole

LARGEST_BMAP = 64 << 20

Patch = tuple[int, bytes]
"""Where on the stick, and what is there instead of what the body has."""

_NUMBERS = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?")


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a stick, before they are on one."""

    name: str
    """Of the image file, or of the stick."""

    body: Path
    blocks: BlockMap
    head: bytes = b""
    """Comes before the body: a partition table; as long as where the body begins."""

    sha256: str = ""
    """What the whole body must hash to, where the plan says so."""

    blocks_sha256: str = ""
    """What the list of block hashes must hash to, patches aside, where we composed the body ourselves."""

    patches: tuple[Patch, ...] = ()
    """What is this one stick's own: its label."""

    @property
    def size(self) -> int:
        """Return the bytes it spans, holes included."""
        return self.blocks.size


class OpenSource:
    """A source whose file is open: a changed name does not change what is written."""

    def __init__(self, source: Source) -> None:
        self._head, self._path, self._patches = source.head, source.body, source.patches
        try:
            self._fd = os.open(source.body, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise _unreadable(source.body, error) from error

    def read(self, offset: int, into: memoryview) -> None:
        """Fill `into` with what belongs on the stick; raise KitError when the file cannot be read."""
        self.read_plain(offset, into)
        self.patch(offset, into)

    def patch(self, offset: int, into: memoryview) -> bool:
        """Lay this stick's own bytes over what was read; tell whether there were any here."""
        end = offset + len(into)
        touched = [(at, new) for at, new in self._patches if at < end and at + len(new) > offset]
        for at, new in touched:
            start, stop = max(at, offset), min(at + len(new), end)
            into[start - offset : stop - offset] = new[start - at : stop - at]
        return bool(touched)

    def read_plain(self, offset: int, into: memoryview) -> None:
        """Fill `into` with what is there without patches; beyond the end there are zeros."""
        begin = len(self._head)
        if offset < begin:
            piece = self._head[offset : offset + len(into)]
            into[: len(piece)] = piece
            into, offset = into[len(piece) :], begin
        while into:
            try:
                moved = os.preadv(self._fd, [into], offset - begin)
            except OSError as error:
                raise _unreadable(self._path, error) from error
            if moved == 0:
                into[:] = bytes(len(into))
                return
            into, offset = into[moved:], offset + moved

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)


def image_source(image: Path, bmap: Path | None, sha256: str = "") -> Source:
    """Return the source of a raw image; raise KitError when it or its block map cannot be used."""
    try:
        size = image.stat().st_size
        if not image.is_file() or size == 0:
            raise KitError("image-empty", image=image)
        blocks = whole(size, data_ranges(image)) if bmap is None else read_bmap(bmap, image, size)
    except OSError as error:
        raise _unreadable(image, error) from error
    return Source(image.name, image, blocks, sha256=sha256)


def data_ranges(path: Path) -> list[Range]:
    """Return where a sparse file has content, as its own file system tells."""
    found: list[Range] = []
    with path.open("rb") as file:
        at, size = 0, os.fstat(file.fileno()).st_size
        if not hasattr(os, "SEEK_DATA"):
            return [(0, size)]
        while at < size:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break
                raise
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append((start, at))
    return found


def read_bmap(path: Path, image: Path, size: int) -> BlockMap:
    """Return the block map that bmaptool or we made; raise KitError when it is not of this image."""
    try:
        if path.stat().st_size > LARGEST_BMAP:
            raise KitError("bmap-broken", bmap=path, reason=f"{path.stat().st_size} bytes")
        text = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise KitError("bmap-broken", bmap=path, reason="DOCTYPE")
    try:
        root = ElementTree.fromstring(text)
        block, given = (int((root.findtext(name) or "").strip()) for name in ("BlockSize", "ImageSize"))
        ranges = [_numbers(row.text or "", block) for row in root.iterfind("BlockMap/Range")]
    except (ElementTree.ParseError, ValueError) as error:
        raise KitError("bmap-broken", bmap=path, reason=str(error)[:100]) from error
    if given != size:
        raise KitError("bmap-other", bmap=path, image=image, given=given, size=size)
    if block <= 0 or not ranges or any(start >= size for start, _ in ranges):
        raise KitError("bmap-broken", bmap=path, reason="Range")
    return BlockMap(size, tuple((start, min(stop, size)) for start, stop in ranges))


def _numbers(text: str, block: int) -> Range:
    """Return one `first-last` of a bmap in bytes; raise ValueError when it is none."""
    found = _NUMBERS.fullmatch(text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if last < first:
        raise ValueError(f"Range {text.strip()[:40]}")
    return first * block, (last + 1) * block


def _unreadable(path: Path, error: OSError) -> KitError:
    return KitError("source-unreadable", file=path, reason=error.strerror or str(error))
