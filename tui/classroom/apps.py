"""Begin pupils' apps: forks of a nursery on Linux, processes of their own elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import StreamReader
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from edge.settings import Settings
from tui.classroom.nursery import ENVIRON, Nursery
from tui.classroom.session import App

FORKED_MB, STARTED_MB = 45, 130
"""What one more app costs, measured by `benchmarks/classroom.py`; a started one shares nothing."""

HIDDEN = "--app-of"


class Apps(Protocol):
    """Where apps come from."""

    each_mb: int

    async def begin(self, width: int, height: int, learner: str) -> App:
        """Return a new app."""

    def close(self) -> None:
        """End what is left."""


class Forked:
    """An app that was forked: two pipes, and a number for the nursery."""

    def __init__(self, reader: StreamReader, writer: asyncio.WriteTransport, nursery: Nursery, number: int) -> None:
        self.reader, self._writer, self._nursery, self._number = reader, writer, nursery, number

    def write(self, content: bytes) -> int:
        """Send bytes; return how many wait to be read."""
        self._writer.write(content)
        return self._writer.get_write_buffer_size()

    def end(self) -> None:
        """Let it end."""
        self._writer.close()

    def kill(self) -> None:
        """End it at once."""
        self._writer.abort()
        self._nursery.kill(self._number)


class ForkedApps:
    """Apps of a nursery."""

    each_mb = FORKED_MB

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery

    async def begin(self, width: int, height: int, learner: str) -> App:
        """Fork an app."""
        number, out, into = self._nursery.bear(width, height, learner)
        loop, reader = asyncio.get_running_loop(), StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(into, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(out, "wb", 0))
        return Forked(reader, writer, self._nursery, number)

    def close(self) -> None:
        """End the nursery and what is left in it."""
        self._nursery.close()


class Started:
    """An app in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("an app without pipes")
        self._process, self._writer, self.reader = process, process.stdin, process.stdout

    def write(self, content: bytes) -> int:
        """Send bytes; return how many wait to be read."""
        if not self._writer.is_closing():
            self._writer.write(content)
        return self._writer.transport.get_write_buffer_size()

    def end(self) -> None:
        """Let it end."""
        self._writer.close()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()


class StartedApps:
    """Apps that are started one by one, where a process cannot be forked."""

    each_mb = STARTED_MB

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def begin(self, width: int, height: int, learner: str) -> App:
        """Start an app."""
        environ = {**self._environ, **ENVIRON, "COLUMNS": str(width), "ROWS": str(height)}
        process = await asyncio.create_subprocess_exec(
            *own_command(), "classroom", HIDDEN, learner or "-", env=environ,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return Started(process)

    def close(self) -> None:
        """Each app ends by itself when nobody writes to it any more."""


def own_command() -> list[str]:
    """Return what starts this program again: the frozen one is its own Python."""
    # Nothing is imported from the folder in which somebody happens to be.
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "tui"]


def be_started(settings: Settings, learner: str) -> int:
    """Be the app that `StartedApps` started."""
    from edge.tutor.workshop import model_that_may_answer
    from tui.classroom.nursery import opened
    from tui.classroom.pupil import PupilApp, PupilServices

    model = model_that_may_answer(settings, a_class=True)
    library, tutor = opened(settings, model.path.stem if model else "", warm=False)
    PupilApp(PupilServices(settings, library, tutor, learner if learner != "-" else "")).run()
    return 0
