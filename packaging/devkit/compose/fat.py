"""A FAT32 volume in a file, made and filled without mounting anything and without being root."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path, PurePosixPath

from devkit.compose.programs import call
from devkit.errors import KitError
from devkit.stick import PlannedFile

BATCH = 200
"""Files a call, so that no command line grows too long."""

Progress = Callable[[int], None]


def make_fat(volume: Path, label: str, serial: int) -> None:
    """Make an empty FAT32 in a file that has its size already."""
    arguments = ["-F", "32", "-n", label, "-i", f"{serial:08x}", "-h", "2048", "--invariant"]
    call("mkfs.vfat", [*arguments, volume])


def fill_fat(volume: Path, files: Iterable[PlannedFile], moved: Progress) -> None:
    """Copy the files into the volume, folder by folder, in one order for all."""
    ordered = sorted(files, key=lambda file: (folder_of(file), file.path))
    _make_folders(volume, {folder_of(file) for file in ordered})
    with tempfile.TemporaryDirectory(dir=volume.parent) as work:
        for folder, group in groupby(ordered, key=folder_of):
            members = list(group)
            for at in range(0, len(members), BATCH):
                _copy(volume, folder, members[at : at + BATCH], Path(work))
                moved(sum(file.size for file in members[at : at + BATCH]))


def check_fat(volume: Path, files: Iterable[PlannedFile], moved: Progress) -> None:
    """Read every file out of the volume again and let fsck look; raise KitError when anything differs."""
    call("fsck.vfat", ["-n", volume])
    for file in files:
        digest = hashlib.sha256()
        content = read_file(volume, file.path, digest.update)
        if (content, digest.hexdigest()) != (file.size, file.sha256):
            raise KitError("compose-differs", file=file.path, source=file.source)
        moved(file.size)


def read_file(volume: Path, path: str, take: Callable[[bytes], None]) -> int:
    """Give the bytes of a file of the volume to `take`, in blocks; return how many there were."""
    import os
    import subprocess

    from devkit.compose.programs import find

    command = [find("mtype"), "-i", str(volume), f"::/{path}"]
    environment = {**os.environ, "MTOOLSRC": os.devnull}
    total = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as running:
        while running.stdout and (block := running.stdout.read(1 << 20)):
            take(block)
            total += len(block)
    return total


def folder_of(file: PlannedFile) -> str:
    """Return the folder of a planned file; empty for the top."""
    parent = str(PurePosixPath(file.path).parent)
    return "" if parent == "." else parent


def _make_folders(volume: Path, folders: set[str]) -> None:
    every = {
        str(above) for folder in folders if folder for above in (PurePosixPath(folder), *PurePosixPath(folder).parents)
    }
    ordered = [f"::/{folder}" for folder in sorted(every - {"."})]
    for at in range(0, len(ordered), BATCH):
        call("mmd", ["-i", volume, *ordered[at : at + BATCH]])


def _copy(volume: Path, folder: str, files: list[PlannedFile], work: Path) -> None:
    """Copy under the planned names; the depot names files by their hash, so links lend them the right one."""
    links = []
    for file in files:
        link = work / PurePosixPath(file.path).name
        link.symlink_to(file.source.absolute())
        links.append(link)
    call("mcopy", ["-i", volume, "-Q", *links, f"::/{folder}/"])
    for link in links:
        link.unlink()
