"""From a trusted release to the one in use: what is missing, room for it, staged, compared, switched.

The order is the promise: nothing is written before its exact size is known to fit, nothing is switched to
before every file was read again, and what was in use stays whole until something newer has shown its prompt.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edge.device import ram_mb
from edge.release.contents import Contents
from edge.release.part import SPARE_BYTES, megabytes
from edge.update.errors import UpdateError, disk_error, has_no_room
from edge.update.here import survey
from edge.update.places import Releases
from edge.update.plan import Here, Plan, plan, wanted
from edge.update.receipt import read_receipt
from edge.update.stage import FetchPart, Moved, is_right, missing_bytes, stage
from edge.update.switch import alone, collect, doubt, remove, reopen, switch

State = Literal["newer", "same", "older"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an update would do, to the byte."""

    plan: Plan
    here: Here
    free: int
    """Bytes free on the disk of `home`."""

    needed: int
    """Bytes the disk must have free; what an interrupted update left is counted as here."""

    @property
    def fits(self) -> bool:
        """Tell whether there is room, with some to spare for the rest of the computer."""
        return self.free >= self.needed + SPARE_BYTES


@dataclass(frozen=True, slots=True)
class Done:
    """What an update did."""

    number: int
    before: int
    brought: int
    """Bytes that came from the stick or the line; fewer than planned when an earlier try had brought some."""

    changed: bool
    """False when the release was here already, whole."""


def state_of(home: Path, number: int) -> State:
    """Tell whether a release is newer than the one in use."""
    here = Releases.of(home).pointer().number
    return "same" if number == here else "newer" if number > here else "older"


def for_this_device(contents: Contents, *, app: bool | None = None) -> Contents:
    """Return the release with the files this device takes; the program itself only where it is a frozen one."""
    frozen = bool(getattr(sys, "frozen", False)) if app is None else app
    return wanted(contents, platform_name(), app=frozen, ram_mb=ram_mb())


def platform_name() -> str:
    """Return what releases call this computer, such as linux-x86_64."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    machine = platform.machine().casefold()
    return f"{system}-{ {'amd64': 'x86_64', 'arm64': 'aarch64'}.get(machine, machine) }"


def prepare(home: Path, contents: Contents) -> Prepared:
    """Find out what is missing. Writes nothing."""
    releases = Releases.of(home)
    program = Path(sys.executable).parent if getattr(sys, "frozen", False) else None
    here = survey(home, contents.files, program)
    staging = releases.staging(contents.number)
    made = plan(contents, here, staging)
    place = next(folder for folder in (releases.folder, *releases.folder.absolute().parents) if folder.exists())
    return Prepared(made, here, shutil.disk_usage(place).free, missing_bytes(made, here, staging))


def install(home: Path, contents: Contents, fetch: FetchPart, moved: Moved, ready: Callable[[Prepared], None]) -> Done:
    """Install a release; `ready` is told what will be done once it is known that it can be.

    Raises UpdateError, and whatever `fetch` raises; what was in use is in use still, and a new try goes on
    from what was brought.
    """
    releases = Releases.of(home)
    number = contents.number
    if not contents.files:
        raise UpdateError("update-nothing", number=number)
    try:
        with alone(releases):
            pointer = releases.pointer()
            if number < pointer.number:
                raise UpdateError("update-older", number=number, here=pointer.number)
            if pointer.number == number and is_whole(releases, contents):
                return Done(number, pointer.before, 0, changed=False)
            return _install(home, releases, contents, fetch, moved, ready)
    except OSError as error:
        if has_no_room(error):
            # A full disk would keep learners from working; what was brought is not worth that.
            remove(releases.staging(number))
        raise disk_error(error, releases.folder) from error


def is_whole(releases: Releases, contents: Contents) -> bool:
    """Read every file of an installed release again; tell whether all are what they must be."""
    folder = releases.whole(contents.number)
    return read_receipt(releases, contents.number) == contents and all(
        is_right(folder / file.path, file) for file in contents.files
    )


def _install(
    home: Path,
    releases: Releases,
    contents: Contents,
    fetch: FetchPart,
    moved: Moved,
    ready: Callable[[Prepared], None],
) -> Done:
    number = contents.number
    doubt(releases, number)
    reopen(releases, number)
    collect(releases, keep=number)
    prepared = prepare(home, contents)
    if not prepared.fits and prepared.free + _freed(releases) >= prepared.needed + SPARE_BYTES:
        # The one in use becomes the one to go back to; the one before it would go then anyway.
        releases.point(replace(releases.pointer(), before=0))
        collect(releases, keep=number)
        prepared = prepare(home, contents)
    if not prepared.fits:
        need, free = megabytes(prepared.needed + SPARE_BYTES), megabytes(prepared.free)
        raise UpdateError("update-space", path=releases.folder, need=need, free=free)
    ready(prepared)
    staging = releases.staging(number)
    staging.mkdir(parents=True, exist_ok=True)
    brought = stage(prepared.plan, prepared.here, staging, fetch, moved)
    pointer = switch(releases, contents)
    return Done(number, pointer.before, brought, changed=True)


def _freed(releases: Releases) -> int:
    """Return the bytes that only the release before the one in use needs."""
    before = releases.pointer().before
    paths = releases.whole(before).rglob("*") if before else ()
    return sum(path.stat().st_size for path in paths if path.is_file() and path.stat().st_nlink == 1)
