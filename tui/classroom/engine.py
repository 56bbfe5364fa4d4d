"""The model of the class: a process that begins with the classroom, begins again when it dies, and ends with it.

While it is away the library answers alone. A process that dies again and again is begun less and less often.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edge.settings import Settings
from edge.shared import wire
from edge.tutor.workshop import model_that_may_answer
from edge.words import Words

if TYPE_CHECKING:
    from edge.release.installed import InstalledModel

PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""How long to wait before it is begun again: the first time, the second, ..., the last from then on."""

STEADY_S = 120.0
"""Who has lived so long did not die of what it died of before."""

END_S = 5.0
PUPILS_MB = 600
"""What stays free for the apps of the pupils who come in, and for the laptop itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with the model of the class."""

    name: Literal["none", "form", "memory", "opening", "ready", "restarting"]
    seats: int = 0

    def say(self, words: Words) -> str:
        """Return it in one line for the teacher."""
        return words.say(f"classroom.engine.{self.name}", seats=self.seats)


class ClassEngine:
    """Keeps the process alive for as long as `live` runs."""

    def __init__(
        self,
        settings: Settings,
        model: InstalledModel | None,
        changed: Callable[[], None],
        free_mb: Callable[[], int | None],
        environ: Mapping[str, str] = os.environ,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._settings, self._model, self._environ = settings, model, environ
        self._changed, self._free_mb, self._pauses_s = changed, free_mb, pauses_s
        self._process: Process | None = None
        self.standing = Standing("opening" if model else "form" if model_that_may_answer(settings) else "none")

    async def live(self) -> None:
        """Begin the process, and again whenever it has ended, until cancelled; then end it."""
        if self._model is None:
            return
        deaths = 0
        try:
            while True:
                began = time.monotonic()
                await self._once(self._model)
                deaths = 0 if time.monotonic() - began > STEADY_S else deaths
                await asyncio.sleep(self._pauses_s[min(deaths, len(self._pauses_s) - 1)])
                deaths += 1
        finally:
            await self._end()

    async def _once(self, model: InstalledModel) -> None:
        """Begin the process where memory allows it, and return when it has ended."""
        from edge.shared.seats import seats_for
        from edge.tutor.gguf import read_head
        from tui.classroom.apps import own_command

        free = self._free_mb()
        seats = 1 if free is None else seats_for(read_head(model.path), model.size, free - PUPILS_MB)
        if not seats:
            self._stand(Standing("memory"))
            return
        if self.standing.name != "restarting":
            self._stand(Standing("opening"))
        command = [*own_command(), "engine", "--model", model.id, "--seats", str(seats), "--json", "--with-parent"]
        with suppress(OSError):
            # It ends by itself when nobody holds the other end of its stdin any more.
            self._process = await asyncio.create_subprocess_exec(
                *command, env=self._environ, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
            await self._until_ended(self._process)
        self._stand(Standing("restarting"))

    async def _until_ended(self, process: Process) -> None:
        if process.stdout is not None and (line := await process.stdout.readline()):
            with suppress(ValueError, KeyError):
                self._stand(Standing("ready", int(json.loads(line)["seats"])))
        await process.wait()

    async def _end(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            self._process.kill()
            (self._settings.home / wire.FILE).unlink(missing_ok=True)

    def _stand(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            self._changed()
