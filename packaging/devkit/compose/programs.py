"""The system's own programs that make file systems: found at use, named when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from devkit.errors import KitError

PACKAGES = {
    "mkfs.vfat": "dosfstools", "fsck.vfat": "dosfstools", "mcopy": "mtools", "mmd": "mtools", "mtype": "mtools",
    "mkfs.exfat": "exfatprogs", "fsck.exfat": "exfatprogs", "mount.exfat-fuse": "exfat-fuse",
    "losetup": "mount", "mount": "mount", "umount": "mount",
}  # fmt: skip
"""The Debian package of each program."""

SYSTEM_FOLDERS = "/usr/sbin:/sbin"
"""Where these programs are even when a user's PATH does not say so."""

ANY_DAY = "1767225600"
"""1 January 2026: the same plan makes the same bytes on any day."""


def find(program: str) -> str:
    """Return where a program is; raise KitError with the package that brings it."""
    found = shutil.which(program) or shutil.which(program, path=SYSTEM_FOLDERS)
    if found is None:
        raise KitError("program-missing", program=program, package=PACKAGES.get(program, program))
    return found


def call(program: str, arguments: Sequence[str | Path], folder: Path | None = None) -> bytes:
    """Run a program and return what it prints; raise KitError with its own words when it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": ANY_DAY, "TZ": "UTC", "LC_ALL": "C.UTF-8", "MTOOLSRC": os.devnull}
    command = [find(program), *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise KitError("program-failed", program=program, reason=(said[-1] if said else str(done.returncode))[:200])
    return done.stdout
