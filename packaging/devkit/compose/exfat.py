"""An exFAT volume in a file: filled through the kernel or exfat-fuse, so Linux and root only."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devkit.compose.programs import ANY_DAY, call, find
from devkit.errors import KitError
from devkit.stick import PlannedFile
from edge.files import sha256_of

KERNEL_LIST = Path("/proc/filesystems")
Progress = Callable[[int], None]


def make_exfat(volume: Path, label: str) -> None:
    """Make an empty exFAT in a file that has its size already."""
    call("mkfs.exfat", ["-L", label, volume])


def fill_exfat(volume: Path, files: Iterable[PlannedFile], moved: Progress) -> None:
    """Copy the files into the volume, in one order for all."""
    import os

    with mounted(volume, writing=True) as folder:
        for file in sorted(files, key=lambda file: file.path):
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(file.source, target)
                os.utime(target, (int(ANY_DAY), int(ANY_DAY)))
            except OSError as error:
                raise KitError("compose-disk", folder=volume.parent, reason=error.strerror or str(error)) from error
            moved(file.size)


def check_exfat(volume: Path, files: Iterable[PlannedFile], moved: Progress) -> None:
    """Mount the volume anew, read every file, and let fsck look; raise KitError when anything differs."""
    call("fsck.exfat", ["-n", volume])
    with mounted(volume, writing=False) as folder:
        for file in files:
            target = folder / file.path
            if not target.is_file() or target.stat().st_size != file.size or sha256_of(target) != file.sha256:
                raise KitError("compose-differs", file=file.path, source=file.source)
            moved(file.size)


@contextmanager
def mounted(volume: Path, *, writing: bool) -> Iterator[Path]:
    """Yield a folder with the volume's files; needs a loop device, so root."""
    by_kernel = kernel_knows_exfat()
    if not by_kernel:
        find("mount.exfat-fuse")
    mode = "rw" if writing else "ro"
    loop = call("losetup", ["--find", "--show", *([] if writing else ["--read-only"]), volume]).decode().strip()
    try:
        with tempfile.TemporaryDirectory(dir=volume.parent) as place:
            if by_kernel:
                call("mount", ["-t", "exfat", "-o", mode, loop, place])
            else:
                call("mount.exfat-fuse", ["-o", mode, loop, place])
            try:
                yield Path(place)
            finally:
                call("umount", [place])
    finally:
        call("losetup", ["--detach", loop])


def kernel_knows_exfat() -> bool:
    """Tell whether the running kernel mounts exFAT by itself."""
    try:
        return "exfat" in KERNEL_LIST.read_text(encoding="ascii").split()
    except OSError:
        return False
