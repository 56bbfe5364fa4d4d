"""Ask this computer which disks are attached. Linux only: it is where raw disks can be written.

Says what is there and never judges it; that belongs to `choice`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from devkit.disks.disk import Disk, parse_disks
from devkit.errors import KitError

BLOCKS = Path("/sys/block")


def attached_disks() -> tuple[Disk, ...]:
    """Return every disk of this computer; raise KitError where they cannot be listed."""
    if sys.platform != "linux":
        raise KitError("disk-linux-only", system=sys.platform)
    program = shutil.which("lsblk")
    if program is None:
        raise KitError("program-missing", program="lsblk", package="util-linux")
    done = subprocess.run([program, "-J", "-b", "-O"], capture_output=True, check=False)
    try:
        disks = parse_disks(json.loads(done.stdout))
    except (ValueError, TypeError, AttributeError) as error:
        raise KitError("disk-list", reason=f"lsblk {done.returncode}: {error}"[:200]) from error
    return tuple(_completed(disk) for disk in disks)


def _completed(disk: Disk) -> Disk:
    """Add what lsblk does not tell: the file behind a loop, and that an SD card can be taken out."""
    about = BLOCKS / Path(disk.path).name
    if disk.kind == "loop":
        return replace(disk, serial=Path(_line(about / "loop" / "backing_file")).name, model="loop")
    if _line(about / "device" / "type") == "SD":
        return replace(disk, removable=True, transport=disk.transport or "sd")
    return disk


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
