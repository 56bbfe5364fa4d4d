"""Read a file of a release repository, from a folder or a server, and never more of it than was allowed.

Knows nothing about signatures. A folder may be a stick made to harm: what is no plain file is not
opened. A server may send without end, or a byte a minute: it is left when it takes too long.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from edge.errors import EdgeError, ModelError
from edge.release.download import NoSuchRange, NotNow, host_of, open_url
from edge.release.fetch import Patience

ADDRESS = re.compile(r"https?://[^\s/]+.*", re.ASCII)
LEAST_BYTES_PER_S = 1000
"""A line slower than that, on average, brings no release."""


class TrustError(EdgeError):
    """What was offered cannot be trusted, or could not be read."""


class Absent(Exception):  # noqa: N818
    """The repository has no such file."""


class Source(Protocol):
    """A release repository that can be read."""

    def read(self, name: str, most: int) -> bytes:
        """Return a file whole; raise Absent, or TrustError when it has more than `most` bytes or cannot be read."""


def source_of(where: Path | str, patience: Patience) -> Source:
    """Return the repository in a folder or at an http(s) address."""
    if isinstance(where, Path) or "://" not in where:
        return Folder(Path(where))
    try:
        known = ADDRESS.fullmatch(where) and urlsplit(where).port != 0
    except ValueError:
        known = False
    if not known:
        raise TrustError("trust-where", where=where[:120])
    return Server(where.rstrip("/"), patience)


@dataclass(frozen=True, slots=True)
class Folder:
    """A repository on a stick or a disk."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def read(self, name: str, most: int) -> bytes:
        """Return a file whole; raise Absent or TrustError."""
        path = self.folder / name
        # Opening a pipe would wait for ever.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            with os.fdopen(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise TrustError("trust-unreadable", where=str(path), reason="no plain file")
                content = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Absent(name) from error
        except OSError as error:
            raise TrustError("trust-unreadable", where=str(path), reason=error.strerror or str(error)) from error
        if len(content) > most:
            raise TrustError("trust-large", where=str(path), most=most)
        return content


@dataclass(frozen=True, slots=True)
class Server:
    """A repository at an http(s) address."""

    address: str
    patience: Patience

    def __str__(self) -> str:
        return host_of(self.address)

    def read(self, name: str, most: int) -> bytes:
        """Return a file whole; raise Absent or TrustError."""
        job = _Job(f"{self.address}/{name}", most, self.patience)
        return _watched(job, self.patience.timeout_s * self.patience.tries)


@dataclass(slots=True)
class _Job:
    """One file on its way."""

    url: str
    most: int
    patience: Patience
    content: bytearray = field(default_factory=bytearray)
    tag: str = ""
    trouble: Exception | None = None
    given_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Bring the file; where the line broke, go on from there. What went wrong stays in `trouble`."""
        failures = 0
        while not self.given_up.is_set():
            before = len(self.content)
            try:
                self._ask()
                return
            except NotNow as error:
                failures = 1 if len(self.content) > before else failures + 1
                self.trouble = TrustError("trust-gave-up", where=host_of(self.url), reason=error.reason)
                if failures > self.patience.tries:
                    return
                wait_s = max(self.patience.first_wait_s * 2.0 ** (failures - 1), error.wait_s)
                self.given_up.wait(min(wait_s, self.patience.longest_wait_s))
            except NoSuchRange:
                # The file ended where the line broke.
                self.trouble = None
                return
            except ModelError as error:
                absent = error.key == "fetch-absent"
                self.trouble = Absent(self.url) if absent else TrustError(error.key, **error.values)
                return
            except TrustError as error:
                self.trouble = error
                return

    def _ask(self) -> None:
        with open_url(self.url, len(self.content), self.tag, timeout_s=self.patience.timeout_s) as answer:
            if answer.start < len(self.content) and answer.tag != self.tag:
                self.content.clear()
            self.tag, skip = answer.tag, len(self.content) - answer.start
            if (answer.total or 0) > self.most:
                raise TrustError("trust-large", where=self.url, most=self.most)
            for block in answer.blocks:
                self.content += block[skip:] if skip > 0 else block
                skip -= len(block)
                if len(self.content) > self.most:
                    raise TrustError("trust-large", where=self.url, most=self.most)
                if self.given_up.is_set():
                    return
            if answer.total is not None and len(self.content) < answer.total:
                raise NotNow(f"{len(self.content)} / {answer.total}")
        self.trouble = None


def _watched(job: _Job, grace_s: float, clock: Callable[[], float] = time.monotonic) -> bytes:
    """Let a thread do the job and leave it when it takes too long: a server that drips may hold up a thread, not us."""
    thread = threading.Thread(target=job.run, daemon=True)
    began = clock()
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.05)
            if clock() - began > grace_s + len(job.content) / LEAST_BYTES_PER_S and thread.is_alive():
                raise job.trouble or TrustError("trust-slow", where=host_of(job.url), seconds=round(clock() - began))
    finally:
        job.given_up.set()
    if job.trouble is not None:
        raise job.trouble
    return bytes(job.content)
