"""Power cuts and full disks for tests."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def kills(usual: int) -> int:
    """How often a campaign kills: a few times in every run of the tests, AMAUTA_KILLS times where somebody asks for it."""
    return int(os.environ.get("AMAUTA_KILLS", usual))


def forked(deed: Callable[[], object]) -> int:
    """Do something in a process of its own; return its number. It ends with 1 when the deed breaks off."""
    sys.stderr.flush()
    if child := os.fork():
        return child
    code = 1
    try:
        deed()
        code = 0
    finally:
        if code:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a process; return its exit code, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill(child: int) -> bool:
    """Kill a process; tell whether it was still at it."""
    os.kill(child, signal.SIGKILL)
    code = ended(child)
    assert code in (0, -signal.SIGKILL), "it broke off by itself, for the reason above"
    return code != 0


def killed(deed: Callable[[], object], wait_s: float) -> bool:
    """Do something in a process of its own and kill it after a while; tell whether it was still at it."""
    alive, held = os.pipe()
    child = forked(deed)
    os.close(held)
    # Only the process has the other end now: this one can be read as soon as that has ended.
    select.select([alive], [], [], wait_s)
    os.close(alive)
    return kill(child)


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
