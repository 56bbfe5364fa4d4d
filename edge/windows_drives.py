"""The drive letters of Windows, with label and whether the drive can be pulled out. Asks nothing of an empty reader.

Loaded on Windows alone.
"""

from __future__ import annotations

import ctypes
import string
import sys
from pathlib import Path

REMOVABLE, FIXED = 2, 3
QUIET = 1
"""No window «there is no disk in the drive»."""


def letters() -> list[tuple[Path, str, bool]]:
    """Return root, label and whether it is removable, of each drive that answers."""
    if sys.platform != "win32":
        return []
    kernel = ctypes.windll.kernel32
    before = kernel.SetErrorMode(QUIET)
    try:
        found = []
        present = kernel.GetLogicalDrives()
        # A and B were floppy drives, which take seconds to say that they are empty.
        for place, letter in enumerate(string.ascii_uppercase):
            root = f"{letter}:\\"
            if letter in "AB" or not present >> place & 1:
                continue
            kind = kernel.GetDriveTypeW(root)
            label = ctypes.create_unicode_buffer(261)
            if kind in (REMOVABLE, FIXED) and kernel.GetVolumeInformationW(root, label, 261, None, None, None, None, 0):
                found.append((Path(root), f"{label.value} ({letter}:)".strip(), kind == REMOVABLE))
        return found
    finally:
        kernel.SetErrorMode(before)
