"""Where a volume keeps its label, so that sticks of the same files share one composed volume.

Each stick's own label is laid over it while it is written. Reads boot sector and root folder only.
"""

from __future__ import annotations

import struct
from pathlib import Path

from devkit.compose.layout import geometry
from devkit.errors import KitError
from devkit.write.source import Patch

SHARED = "AMAUTA"
"""What every volume is called until its stick has a name."""

ENTRY = 32
FAT_LABEL, EXFAT_LABEL = 0x08, 0x83


def label_patches(volume: Path, label: str, begin: int) -> tuple[Patch, ...]:
    """Return what to lay over a volume that begins at `begin` of the stick, for it to be called `label`."""
    with volume.open("rb") as file:
        boot = file.read(512)
        heap, cluster = geometry(boot)
        exfat = boot[3:11] == b"EXFAT   "
        (root,) = struct.unpack_from("<I", boot, 96 if exfat else 44)
        place = heap + (root - 2) * cluster
        file.seek(place)
        folder = file.read(cluster)
    at = place + _entry(folder, volume, exfat=exfat)
    if exfat:
        text = label.encode("utf-16-le")
        return ((begin + at, struct.pack("<BB22s", EXFAT_LABEL, len(label), text)),)
    text = label.encode("ascii").ljust(11)
    sector, spare = struct.unpack_from("<H", boot, 11)[0], struct.unpack_from("<H", boot, 50)[0]
    return tuple((begin + where, text) for where in (71, spare * sector + 71, at))


def _entry(folder: bytes, volume: Path, *, exfat: bool) -> int:
    """Return where in the root folder the label is."""
    for at in range(0, len(folder), ENTRY):
        if folder[at] == EXFAT_LABEL if exfat else folder[at + 11] == FAT_LABEL and folder[at] not in (0, 0xE5):
            return at
    raise KitError("compose-differs", file="label", source=volume)
