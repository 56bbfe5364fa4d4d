"""How much memory this machine can still give, asked of the system each time."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.device import windows_memory_mb

MEMINFO = Path("/proc/meminfo")


def free_mb() -> int | None:
    """Return the free memory without what caches would give back only in need; None where it cannot be found out."""
    if sys.platform == "win32":
        told = windows_memory_mb()
        return told[1] if told else None
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("MemAvailable:")), None)
