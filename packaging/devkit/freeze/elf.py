"""What a Linux library asks of the machine: other libraries by name, and how new a glibc.

Pure: bytes in, facts out; no tool of the machine is needed. Only the 64-bit little-endian files
that we ship are read; anything else has nothing to say.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\x7fELF\x02\x01"
DYNAMIC, LOAD = 2, 1
NEEDED, STRTAB, VERNEED, VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF

SYSTEM = frozenset({
    "libc.so.6", "libm.so.6", "libdl.so.2", "libmvec.so.1", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2",
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
})  # fmt: skip
"""glibc itself: on every Linux, and never carried."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one library or program asks for."""

    libraries: tuple[str, ...]
    versions: tuple[str, ...]
    """Named versions of symbols, such as GLIBC_2.31."""


@dataclass(frozen=True, slots=True)
class _Image:
    content: bytes
    segments: tuple[tuple[int, int, int], ...]
    """Offset in the file, address, size: where what is addressed lies in the file."""

    def offset(self, address: int) -> int:
        for start, base, size in self.segments:
            if base <= address < base + size:
                return start + address - base
        raise ValueError(address)

    def text(self, offset: int) -> str:
        return self.content[offset : self.content.index(b"\0", offset)].decode("utf-8", "replace")


def needs_of(content: bytes) -> Needs | None:
    """Return what an ELF file asks for; None for anything else, and for what is damaged."""
    if not content.startswith(MAGIC):
        return None
    try:
        return _read(content)
    except (struct.error, ValueError, IndexError):
        return None


def glibc_floor(needs: Iterable[Needs]) -> str:
    """Return the oldest glibc on which all of these load, such as 2.31; empty when none asks."""
    asked = (version for need in needs for version in need.versions if version.startswith("GLIBC_"))
    numbers = [
        tuple(int(n) for n in version[6:].split(".")) for version in asked if version[6:].replace(".", "").isdigit()
    ]
    return ".".join(map(str, max(numbers, default=())))


def unresolved(folder: Path) -> list[tuple[str, str]]:
    """Return each library asked for that neither lies in `folder` nor is glibc's, with who asks."""
    found = dict(needs_in(folder))
    here = {path.name for path in found}
    return sorted(
        (path.relative_to(folder).as_posix(), name)
        for path, needs in found.items()
        for name in needs.libraries
        if name not in here and name not in SYSTEM
    )


def needs_in(folder: Path) -> Iterator[tuple[Path, Needs]]:
    """Yield every ELF file under `folder` with what it asks for."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                is_elf = file.read(len(MAGIC)) == MAGIC
            if is_elf and (needs := needs_of(path.read_bytes())):
                yield path, needs


def _read(content: bytes) -> Needs:
    table, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    headers = [struct.unpack_from("<IIQQQQQQ", content, table + 56 * n) for n in range(count)]
    image = _Image(content, tuple((h[2], h[3], h[5]) for h in headers if h[0] == LOAD))
    entries: list[tuple[int, int]] = []
    for header in headers:
        if header[0] == DYNAMIC:
            entries += struct.iter_unpack("<qQ", content[header[2] : header[2] + header[5] // 16 * 16])
    facts = dict(entries)
    if STRTAB not in facts:
        return Needs((), ())
    strings = image.offset(facts[STRTAB])
    libraries = tuple(image.text(strings + value) for tag, value in entries if tag == NEEDED)
    return Needs(libraries, tuple(_versions(image, facts, strings)))


def _versions(image: _Image, facts: dict[int, int], strings: int) -> Iterator[str]:
    if VERNEED not in facts:
        return
    place = image.offset(facts[VERNEED])
    for _ in range(facts.get(VERNEEDNUM, 0)):
        _, count, _, auxiliary, following = struct.unpack_from("<HHIII", image.content, place)
        aux = place + auxiliary
        for _ in range(count):
            _, _, _, name, after = struct.unpack_from("<IHHII", image.content, aux)
            yield image.text(strings + name)
            aux += after
        place += following
