"""Decide how each file of a release comes to be: kept from what is here, mended by a delta, or put together from parts.

Pure: what is wanted and what is here come in, steps and exact bytes come out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edge.release.contents import Contents, Delta, Part, ReleaseFile

Way = Literal["keep", "delta", "parts"]

MOST_DELTA_BYTES = 256 << 20
"""Old and new file together: a delta needs both in memory."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes lie in a file that is here."""

    path: Path
    offset: int
    size: int


@dataclass(slots=True)
class Here:
    """What this device has already, by SHA-256. Grows while a release is put together."""

    files: dict[str, Place] = field(default_factory=dict)
    parts: dict[str, Place] = field(default_factory=dict)

    def add(self, path: Path, sha256: str, size: int, parts: Iterable[Part]) -> None:
        """Note a file and its parts; what was known first stays."""
        self.files.setdefault(sha256, Place(path, 0, size))
        offset = 0
        for part in parts:
            self.parts.setdefault(part.sha256, Place(path, offset, part.size))
            offset += part.size

    def copy(self) -> Here:
        """Return one that may grow apart."""
        return Here(dict(self.files), dict(self.parts))


@dataclass(frozen=True, slots=True)
class Step:
    """How one file comes to be."""

    file: ReleaseFile
    way: Way
    moved: int
    """Bytes that must come from the release."""

    delta: Delta | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an update will do."""

    contents: Contents
    """The release, with the files this device takes."""

    steps: tuple[Step, ...]

    @property
    def moved(self) -> int:
        """Bytes that come from the stick or the line."""
        return sum(step.moved for step in self.steps)

    @property
    def written(self) -> int:
        """Bytes that need room on the disk; what is kept needs none where the disk can link files."""
        return sum(step.file.size for step in self.steps if step.way != "keep")

    @property
    def kept(self) -> int:
        """Bytes of the files that are here already, whole."""
        return sum(step.file.size for step in self.steps if step.way == "keep")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(step.file.size for step in self.steps)


def plan(contents: Contents, here: Here, staging: Path) -> Plan:
    """Choose the way with the fewest moved bytes for each file; what one file brings, the next has."""
    known, steps = here.copy(), []
    for file in contents.files:
        step = _step(file, known)
        steps.append(step)
        known.add(staging / file.path, file.sha256, file.size, file.parts)
    return Plan(contents, tuple(steps))


def _step(file: ReleaseFile, here: Here) -> Step:
    if file.sha256 in here.files:
        return Step(file, "keep", 0)
    missing = sum({part.sha256: part.size for part in file.parts if part.sha256 not in here.parts}.values())
    delta = min((d for d in file.deltas if _fits(file, d, here)), key=lambda d: d.size, default=None)
    if delta is not None and delta.size < missing:
        return Step(file, "delta", delta.size, delta)
    return Step(file, "parts", missing)


def _fits(file: ReleaseFile, delta: Delta, here: Here) -> bool:
    old = here.files.get(delta.base)
    return old is not None and old.size + file.size <= MOST_DELTA_BYTES


def wanted(contents: Contents, platform: str, *, app: bool, ram_mb: int) -> Contents:
    """Return the release with only the files for this device.

    `app` says whether the program itself is among them. A language model that the memory could never
    hold stays away, as it would never be opened; with 0 the memory is not known.
    """
    files = tuple(
        file
        for file in contents.files
        if (app or file.kind != "app")
        and file.platform in ("", platform)
        and not (file.kind in ("lm", "lm-onnx") and ram_mb and file.size > ram_mb << 20)
    )
    return Contents(number=contents.number, version=contents.version, files=files)
