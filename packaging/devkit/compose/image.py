"""A composed stick as a file, made once for each content and size; its receipt is written last.

Sticks of the same files share it; each one's own label and signature are laid over it in writing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from devkit.compose.exfat import check_exfat, fill_exfat, make_exfat
from devkit.compose.fat import check_fat, fill_fat, make_fat
from devkit.compose.label import SHARED, label_patches
from devkit.compose.layout import block_map, needed_bytes, partition_table, volume_bytes, volume_id
from devkit.errors import KitError
from devkit.stick import DataStick, PlannedFile
from devkit.write.source import Source, data_ranges
from devkit.write.survey import Survey
from edge.files import write_atomic
from edge.stick import FOLDER

LIST = f"{FOLDER}/files.json"
"""What a stick says of itself, for `verify FOLDER` on any computer."""

FORMAT = 1
OURS = re.compile(r"[0-9a-f]{16}(\.volume|\.json|-files\.json)")
LARGEST_FAT32_FILE = (1 << 32) - 1
SPARE_BYTES = 64 << 20

Progress = Callable[[str, int, int], None]
"""A phase, bytes done, bytes in all."""


def compose(stick: DataStick, disk_size: int, folder: Path, moved: Progress) -> Source:
    """Return the source of a data stick for a disk of this size, from the cache or made now."""
    check_plan(stick, disk_size)
    try:
        return _composed(stick, volume_bytes(disk_size), folder, moved)
    except OSError as error:
        raise KitError("compose-disk", folder=folder, reason=error.strerror or str(error)) from error


def forget(folder: Path) -> None:
    """Remove what was composed, once every stick is written: there may be a school's secrets in it."""
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            if OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise KitError("compose-disk", folder=folder, reason=error.strerror or str(error)) from error


def _composed(stick: DataStick, size: int, folder: Path, moved: Progress) -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    listed = _with_list(stick, folder)
    key = hashlib.sha256(f"{FORMAT} {size} {_facts(listed)}".encode()).hexdigest()[:16]
    volume = folder / f"{key}.volume"
    receipt = volume.with_suffix(".json")
    if source := _kept(listed, volume, receipt, size):
        return source
    receipt.unlink(missing_ok=True)
    _make(listed, volume, size, moved)
    source = _source(listed, volume, size)
    blocks = _blocks_of(source)
    write_atomic(receipt, json.dumps({"blocks": blocks}).encode())
    return replace(source, blocks_sha256=blocks)


def check_plan(stick: DataStick, disk_size: int) -> None:
    """Raise KitError when these files cannot be on a stick of this size and file system."""
    if stick.filesystem == "fat32":
        large = next((file for file in stick.files if file.size > LARGEST_FAT32_FILE), None)
        if large:
            raise KitError("compose-fat-file", file=large.path, size=f"{large.size / 1e9:.1f}")
    if (need := needed_bytes(stick)) > disk_size:
        raise KitError("compose-small", stick=stick.name, need=f"{need / 1e6:.0f}", size=f"{disk_size / 1e6:.0f}")
    for file in stick.files:
        if not file.source.is_file() or file.source.stat().st_size != file.size:
            raise KitError("compose-absent", file=file.path, source=file.source)


def list_of(stick: DataStick) -> bytes:
    """Return what the stick says of itself: every file, its size and its SHA-256."""
    files = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in stick.files]
    files.sort(key=lambda file: str(file["path"]))
    return json.dumps({"format": FORMAT, "files": files}, indent=1).encode()


def _with_list(stick: DataStick, folder: Path) -> DataStick:
    """Return the stick with the list of its own files among them."""
    content = list_of(stick)
    digest = hashlib.sha256(content).hexdigest()
    place = folder / f"{digest[:16]}-files.json"
    write_atomic(place, content)
    others = tuple(file for file in stick.files if file.path.casefold() != LIST.casefold())
    return replace(stick, files=(*others, PlannedFile(LIST, len(content), digest, place)))


def _make(stick: DataStick, volume: Path, size: int, moved: Progress) -> None:
    volume.unlink(missing_ok=True)
    free = shutil.disk_usage(volume.parent).free
    if free < stick.size + SPARE_BYTES:
        need = f"{(stick.size + SPARE_BYTES) / 1e6:.0f}"
        raise KitError("compose-space", folder=volume.parent, need=need, free=f"{free / 1e6:.0f}")
    volume.touch(mode=0o600)
    os.truncate(volume, size)
    total, copied, checked = stick.size, _Sum("copy", stick.size, moved), _Sum("reread", stick.size, moved)
    moved("copy", 0, total)
    if stick.filesystem == "fat32":
        make_fat(volume, SHARED, volume_id(stick.files))
        fill_fat(volume, stick.files, copied)
        check_fat(volume, stick.files, checked)
    else:
        make_exfat(volume, SHARED)
        fill_exfat(volume, stick.files, copied)
        check_exfat(volume, stick.files, checked)
    with volume.open("rb") as file:
        os.fsync(file.fileno())


class _Sum:
    """Add up what was done in one phase."""

    def __init__(self, phase: str, total: int, moved: Progress) -> None:
        self._phase, self._total, self._moved, self._done = phase, total, moved, 0

    def __call__(self, size: int) -> None:
        self._done += size
        self._moved(self._phase, self._done, self._total)


def _source(stick: DataStick, volume: Path, size: int) -> Source:
    with volume.open("rb") as file:
        boot = file.read(512)
    head = partition_table(stick.filesystem, size, volume_id(stick.files, stick.name))
    blocks = block_map(boot, size, data_ranges(volume))
    return Source(stick.name, volume, blocks, head, patches=label_patches(volume, stick.volume, len(head)))


def _kept(stick: DataStick, volume: Path, receipt: Path, size: int) -> Source | None:
    """Return what an earlier run composed, for whichever stick; its blocks are compared again in writing."""
    try:
        blocks = json.loads(receipt.read_bytes())["blocks"]
        if volume.stat().st_size != size or not isinstance(blocks, str):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return replace(_source(stick, volume, size), blocks_sha256=blocks)


def _blocks_of(source: Source) -> str:
    survey = Survey(source)
    survey.run()
    survey.finished()
    return hashlib.sha256(survey.listing().encode()).hexdigest()


def _facts(stick: DataStick) -> str:
    rows = [f"{file.path} {file.size} {file.sha256}" for file in stick.files]
    return "\n".join([stick.filesystem, *sorted(rows)])
