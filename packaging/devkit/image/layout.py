"""How the image lies on a stick, and what makes its first sectors start.

Pure: numbers, tables and boot code come in, bytes and text come out. One GPT: GRUB's own partition for
BIOS, then one FAT32 that UEFI, BIOS and any computer can read. The rest of the stick stays free: the
device makes its partition for data there.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

SECTOR = 512
MIB = 1 << 20
BIOS_START = 1 * MIB
BIOS_SIZE = 1 * MIB
FAT_START = BIOS_START + BIOS_SIZE
TAIL = 1 * MIB
"""The second copy of the table lies at the end."""

SLACK = 16 * MIB
"""FAT's own tables, and room for a technician to change a line of the settings."""

SMALLEST_FAT32 = 64 * MIB
LABEL = "AMAUTA"
DISK_ID = "A3A07A00-0012-4D41-9A55-414D41555441"
BLOCK = 4096

_BIOS_TYPE = "21686148-6449-6E6F-744E-656564454649"
_EFI_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_KERNEL_SECTOR = 0x5C
"""In GRUB's boot.img: where the next stage lies, as a sector of the disk."""

_DRIVE_CHECK = 0x66
"""Also there: a jump that trusts the BIOS about the disk's number; many lie, so it is taken out."""

_FIRST_LIST = SECTOR - 12
"""In the first sector of GRUB's core: where the rest of it lies."""


def fat_bytes(contents: int) -> int:
    """Return how large the FAT32 must be for so many bytes of files."""
    needed = max(contents + contents // 200 + SLACK, SMALLEST_FAT32)
    return -(-needed // MIB) * MIB


def image_bytes(fat: int) -> int:
    """Return the size of the whole image around a FAT32 of this size."""
    return FAT_START + fat + TAIL


def table_script(fat: int) -> str:
    """Return what sfdisk must be told; the identifiers are fixed, so that the same parts make the same image."""
    return (
        f"label: gpt\nlabel-id: {DISK_ID}\n"
        f"start={BIOS_START // SECTOR}, size={BIOS_SIZE // SECTOR}, type={_BIOS_TYPE}, name=arranque, uuid={_numbered(1)}\n"
        f"start={FAT_START // SECTOR}, size={fat // SECTOR}, type={_EFI_TYPE}, name={LABEL}, uuid={_numbered(2)}\n"
    )


def boot_sector(boot: bytes, table: bytes) -> bytes:
    """Return the first sector: GRUB's code in front, the protective table of the GPT behind it."""
    code = bytearray(boot[:440])
    struct.pack_into("<Q", code, _KERNEL_SECTOR, BIOS_START // SECTOR)
    code[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    return bytes(code) + table[440:SECTOR]


def core_in_place(core: bytes) -> bytes:
    """Return GRUB's core with its first sector knowing where the others lie; raise ValueError when it is too large."""
    if len(core) > BIOS_SIZE:
        raise ValueError(len(core))
    placed = bytearray(core)
    struct.pack_into("<Q", placed, _FIRST_LIST, BIOS_START // SECTOR + 1)
    return bytes(placed)


def block_map(size: int, sha256: str) -> str:
    """Return the block map, as bmaptool reads it: every block counts.

    A zero in a table of FAT, or in a file, is content too, and there is hardly any room left over to skip.
    """
    blocks = size // BLOCK
    text = f"""<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> {size} </ImageSize>
    <BlockSize> {BLOCK} </BlockSize>
    <BlocksCount> {blocks} </BlocksCount>
    <MappedBlocksCount> {blocks} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {"0" * 64} </BmapFileChecksum>
    <BlockMap>
        <Range chksum="{sha256}"> 0-{blocks - 1} </Range>
    </BlockMap>
</bmap>
"""
    return text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest(), 1)


def listed(text: str) -> tuple[str, ...]:
    """Return the lines of a list that are neither blank nor a remark."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def wanted_by(unit: str) -> tuple[str, ...]:
    """Return the targets that a systemd unit says want it: the links that switch it on."""
    lines = (line.partition("=") for line in listed(unit))
    return tuple(target for key, _, value in lines if key == "WantedBy" for target in value.split())


def base_key(recipe: Sequence[bytes]) -> str:
    """Name the base layer after everything it is made from."""
    whole = hashlib.sha256()
    for part in recipe:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def packages_of(status: str) -> dict[str, str]:
    """Return the packages and versions of dpkg's own record that are really installed."""
    found = {}
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status") == "install ok installed":
            found[fields["Package"]] = fields["Version"]
    return dict(sorted(found.items()))


def choices(lang: str, *, encrypt: bool) -> str:
    """Return the file on the stick that a technician may read and change on any computer."""
    return f"# Amauta: lang=es o pt; encrypt=yes o no (solo cuenta antes del primer arranque)\nlang={lang}\nencrypt={'yes' if encrypt else 'no'}\n"


def module_list(layers: Sequence[Path]) -> str:
    """Return live-boot's list of layers, the lowest first."""
    return "".join(f"{layer.name}\n" for layer in layers)


def _numbered(number: int) -> str:
    return f"{DISK_ID[:-1]}{number}"
