"""Bring files into the depot from the net or a disk: several at once, each at most once, whole or not at all.

What arrives waits in `incoming` and survives cuts and kill -9. What to bring belongs to `catalogue` and
`releases`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from devkit.depot.board import Board, Row, Stopped
from devkit.depot.store import Depot
from devkit.depot.trouble import disk_trouble
from devkit.errors import KitError
from edge.errors import EdgeError
from edge.files import sha256_of
from edge.release.fetch import Patience, Source, fetch
from edge.release.part import SPARE_BYTES, Wanted, megabytes, part_of

DISK_TROUBLES = ("depot-full", "depot-disk", "fetch-full", "fetch-disk", "fetch-space")
BUSY_S = 0.3
"""Between two looks at a file that another process is bringing."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is not in the depot, and where it may be had."""

    name: str
    """What to call it on the screen."""

    sha256: str
    size: int | None
    sources: tuple[Source, ...]

    @property
    def wanted(self) -> Wanted:
        """Return it the way `fetch` asks; the hash is its name until it is whole."""
        return Wanted(self.sha256, self.sha256, self.size)


def missing_bytes(depot: Depot, files: Sequence[Missing]) -> int:
    """Return how much must still come; what an earlier try left counts as here."""
    parts = [part_of(depot.incoming, file.wanted) for file in files]
    here = sum(part.stat().st_size for part in parts if part.is_file())
    return max(0, sum(file.size or 0 for file in files) - here)


def check_room(depot: Depot, need: int) -> None:
    """Raise KitError when the depot's disk has no room for so many bytes more."""
    with disk_trouble(depot.folder):
        free = shutil.disk_usage(depot.folder).free
    if free < need + SPARE_BYTES:
        raise KitError("depot-room", path=depot.folder, need=megabytes(need), free=megabytes(free))


def bring(
    depot: Depot, files: Sequence[Missing], board: Board, *, at_once: int, patience: Patience
) -> dict[str, EdgeError]:
    """Bring all files, `at_once` at a time; return why some did not come, by their hash."""
    tasks: dict[str, Callable[[], None]] = {
        file.sha256: lambda file=file: _bring_one(depot, file, board, patience)  # type: ignore[misc]
        for file in files
    }
    # The line to one publisher may be dead and another's not; the disk is one for all.
    return work(tasks, board, at_once, fatal=lambda error: error.key in DISK_TROUBLES)


def work(
    tasks: dict[str, Callable[[], None]], board: Board, at_once: int, *, fatal: Callable[[EdgeError], bool]
) -> dict[str, EdgeError]:
    """Do all tasks in threads; return the errors by name. Ctrl+C or a fatal error stops them all within a block."""
    refused: dict[str, EdgeError] = {}

    def run(task: Callable[[], None]) -> None:
        if not board.stop.is_set():
            task()

    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(run, task): name for name, task in tasks.items()}
        try:
            for future in as_completed(futures):
                try:
                    future.result()
                except EdgeError as error:
                    refused[futures[future]] = error
                    if fatal(error):
                        board.stop.set()
        except BaseException:
            # Whatever went wrong, threads that nobody waits for must not go on writing.
            board.stop.set()
            raise
    return refused


def _bring_one(depot: Depot, file: Missing, board: Board, patience: Patience) -> None:
    row = board.row(file.name)
    try:
        _until_here(depot, file, row, board, patience)
    except EdgeError as error:
        row.ended("depot.refused", 0)
        raise error
    except Stopped:
        return
    row.ended("depot.brought", depot.path(file.sha256).stat().st_size)


def _until_here(depot: Depot, file: Missing, row: Row, board: Board, patience: Patience) -> None:
    """Fetch a file, or wait for the process that is fetching it."""
    told = False
    while not depot.has(file.sha256, file.size):
        left = depot.incoming / file.sha256
        if left.is_file() and sha256_of(left) == file.sha256:
            depot.adopt(left, file.sha256)
            return
        try:
            done = fetch(file.wanted, list(file.sources), depot.incoming, row, patience=patience, sleep=board.pause)
        except EdgeError as error:
            if error.key != "fetch-busy":
                raise
            if not told:
                row.waiting(error.say(board.lang).splitlines()[0], BUSY_S)
            told = True
            board.pause(BUSY_S)
        else:
            depot.adopt(done.path, file.sha256)
