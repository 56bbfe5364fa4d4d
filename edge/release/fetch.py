"""Bring one artifact to this disk, whole or not at all, over a line that may break at any byte.

What arrives waits in `NAME.HASH.part` and survives cuts and kill -9; the next pull goes on from
there, from the same source or another. A file gets its name only after its size and SHA-256 were
found to be those of the catalogue. What to fetch and where it goes belongs to `pull`; HTTP to `download`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from edge.errors import ModelError
from edge.release.download import Answer, NoSuchRange, NotNow, host_of, open_file, open_url
from edge.release.part import Wanted, alone, check_space, digest, disk_error, forget_others, length, megabytes, part_of

SYNC_BYTES = 32 << 20
"""How much a power cut may cost."""

PROGRESS_BYTES = 64 << 10
"""A try that brought less counts as a failure in a row."""


Source = Path | str
"""A file on a stick, or an address."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try."""

    tries: int = 6
    """Failures in a row without progress."""

    first_wait_s: float = 1.0
    """Doubles with each failure."""

    longest_wait_s: float = 60.0
    timeout_s: float = 30.0
    """Without a single byte."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a pull did."""

    path: Path
    size: int
    resumed_bytes: int
    """Were here already when it began."""

    source: str


class Watch(Protocol):
    """Whoever is told how a pull goes on: a bar on a terminal, or lines."""

    def moved(self, done: int, total: int) -> None:
        """So many bytes of `total` are here."""

    def waiting(self, reason: str, wait_s: float) -> None:
        """The source failed; it is asked again after `wait_s` seconds."""

    def restarted(self) -> None:
        """What was here was not right; the file begins again."""


def fetch(
    wanted: Wanted,
    sources: list[Source],
    folder: Path,
    watch: Watch,
    *,
    patience: Patience = Patience(),
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Bring `wanted` into `folder` from the first source that has it; raise ModelError when none gives it whole."""
    target, part = folder / wanted.name, part_of(folder, wanted)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        forget_others(folder, wanted)
        with alone(part) as file:
            resumed = length(file)
            check_space(wanted, folder, resumed)
            source = _fill_from_any(file, wanted, sources, watch, patience, sleep)
            os.fsync(file.fileno())
            size = length(file)
        part.replace(target)
    except OSError as error:
        raise disk_error(error, folder) from error
    return Fetched(target, size, min(resumed, size), str(source))


def _fill_from_any(
    file: IO[bytes],
    wanted: Wanted,
    sources: list[Source],
    watch: Watch,
    patience: Patience,
    sleep: Callable[[float], None],
) -> Source:
    """Return the source that had the file; the first one's refusal counts when none has it."""
    refusals = []
    for source in sources:
        try:
            _fill(file, wanted, _Line(source), watch, patience, sleep)
            return source
        except ModelError as error:
            if error.key not in ("fetch-absent", "fetch-size"):
                raise
            refusals.append(error)
    raise refusals[0]


@dataclass(slots=True)
class _Line:
    """A source, and what it called its content when it last answered."""

    source: Source
    tag: str = ""


def _fill(
    file: IO[bytes], wanted: Wanted, line: _Line, watch: Watch, patience: Patience, sleep: Callable[[float], None]
) -> None:
    """Fill the part until it is the file wanted; begin again from nothing at most once."""
    failures, at_once, again = 0, length(file) == 0, False
    while True:
        before = length(file)
        try:
            _ask(file, wanted, line, watch, patience.timeout_s)
            if digest(file) == wanted.sha256:
                return
            wrong = ModelError("fetch-wrong", where=str(line.source), name=wanted.name)
        except NoSuchRange:
            if digest(file) == wanted.sha256:
                return
            wrong = ModelError("fetch-absent", where=str(line.source), reason="HTTP 416")
        except NotNow as trouble:
            at_once = False
            failures = 1 if length(file) - before >= PROGRESS_BYTES else failures + 1
            if failures > patience.tries:
                here = megabytes(length(file))
                where, reason = str(line.source), trouble.reason
                raise ModelError("fetch-gave-up", where=where, reason=reason, megabytes=here) from trouble
            wait_s = max(patience.first_wait_s * 2.0 ** (failures - 1), trouble.wait_s)
            watch.waiting(trouble.reason, wait_s := min(wait_s, patience.longest_wait_s))
            sleep(wait_s)
            continue
        # Damaged, or pieces of two contents: the only way on is from the first byte.
        file.truncate(0)
        if at_once or again:
            raise wrong
        watch.restarted()
        line.tag, again = "", True


def _ask(file: IO[bytes], wanted: Wanted, line: _Line, watch: Watch, timeout_s: float) -> None:
    """Take from the source what is missing; raise NotNow when it ends before the file does.

    A source that starts earlier than asked writes over what is here: a cut before the old
    end then loses nothing, and the hash tells whether both halves were of one content.
    """
    if wanted.size is not None and length(file) > wanted.size:
        file.truncate(0)
    offset = length(file)
    if offset == wanted.size:
        return
    with _open(line, offset, timeout_s) as answer:
        total = _total(answer, wanted, line.source)
        if answer.start == 0 and line.tag and answer.tag != line.tag:
            file.truncate(0)
        line.tag = answer.tag
        done = answer.start
        file.seek(done)
        watch.moved(done, total)
        for block in answer.blocks:
            new = block[: total - done]
            file.write(new)
            if done // SYNC_BYTES != (done + len(new)) // SYNC_BYTES:
                file.flush()
                os.fsync(file.fileno())
            done += len(new)
            watch.moved(done, total)
            if done == total:
                break
    if length(file) < total:
        raise NotNow(f"{length(file)} / {total}")
    file.truncate(total)


def _open(line: _Line, offset: int, timeout_s: float) -> AbstractContextManager[Answer]:
    if isinstance(line.source, Path):
        return open_file(line.source, offset)
    return open_url(line.source, offset, line.tag, timeout_s=timeout_s)


def _total(answer: Answer, wanted: Wanted, source: Source) -> int:
    """Return how large the file is; raise ModelError when the source offers another one."""
    if wanted.size is None:
        if answer.total is None:
            raise ModelError("fetch-length", where=str(source), name=wanted.name)
        return answer.total
    if answer.total not in (None, wanted.size):
        where = source if isinstance(source, Path) else host_of(source)
        raise ModelError("fetch-size", where=str(where), name=wanted.name, given=str(answer.total), size=wanted.size)
    return wanted.size
