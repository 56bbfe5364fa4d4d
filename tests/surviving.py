"""Power cuts and full disks for tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def forked(deed: Callable[[], object]) -> int:
    """Do something in a process of its own; return its number."""
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        try:
            deed()
        finally:
            os._exit(0)
    return child


def killed(deed: Callable[[], object], wait_s: float) -> bool:
    """Do something in a process of its own and kill it after a while; tell whether it was still at it."""
    child = forked(deed)
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own that can be full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def may_mount() -> bool:
    """Tell whether a small disk can be made here."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def fill(disk: Path, leave: int) -> Path:
    """Leave only so many bytes on a disk."""
    ballast = disk / "ballast"
    left = shutil.disk_usage(disk).free - leave
    with ballast.open("wb") as file:
        file.write(bytes(max(left, 0)))
    return ballast
