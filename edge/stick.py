"""Which stick this app runs from, if any: the folder AMAUTA with everything beside the app.

The layout is AMAUTA/app/PLATFORM/amauta, so a frozen app finds its stick above itself; a launcher
may name it in AMAUTA_STICK instead.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = "AMAUTA"


def stick_folder(environ: Mapping[str, str], executable: Path | None = None) -> Path | None:
    """Return the folder AMAUTA of the stick, or None when the app does not run from one."""
    if named := environ.get("AMAUTA_STICK"):
        return Path(named).absolute() if Path(named).is_dir() else None
    if executable is None:
        if not getattr(sys, "frozen", False):
            return None
        executable = Path(sys.executable)
    platforms = executable.absolute().parent.parent
    return platforms.parent if (platforms.name, platforms.parent.name) == ("app", FOLDER) else None
