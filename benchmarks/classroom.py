"""A classroom in browsers: 8 and 30 pupils over WebSockets from one script on loopback; seconds, MB a pupil, answers kept."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import AMAUTA, ROOT, home_with_index
from edge.learning.store import Store

SIZES = (1, 8, 30)
ASKED = ("¿Cómo se alimentan las plantas?", "¿Qué es la fotosíntesis?", "¿Qué es un ecosistema?", "¿Qué es la tilde?")
ROUNDS = 3
SPREAD_SECONDS = 20.0
"""In how much time a class asks one question each, when nobody says "now"."""

PATIENCE_SECONDS = 120.0
SETTLE_SECONDS = 0.5
"""Until all of a screen is drawn; what comes later belongs to the next key."""

ESCAPES = re.compile(r"\x1b\[[0-9;?$<]*[a-zA-Z]|\x1b\][^\x07]*\x07")


class Watched:
    """The words that came to a screen, and how long somebody waits for those that must come."""

    patience_seconds, look_seconds = PATIENCE_SECONDS, 0.005

    seen: str

    def hear(self, content: bytes) -> None:
        """Take in what a terminal would show."""
        self.seen += ESCAPES.sub("", content.decode("utf-8", "replace"))

    async def wait(self, *words: str) -> str:
        """Return which of these words came, once one did."""
        end = time.monotonic() + self.patience_seconds
        while time.monotonic() < end:
            for word in words:
                if word in self.seen:
                    return word
            await asyncio.sleep(self.look_seconds)
        raise TimeoutError(f"{words} never came: {self.seen[-600:]}")


@dataclass
class Pupil(Watched):
    """A browser without a screen: types, and looks for words in what comes."""

    url: str
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    seen: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    """Answers that the app said it kept."""

    _socket: Any = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Pupil]:
        """Be connected until the end of the block."""
        from websockets.asyncio.client import connect

        origin = "/".join(self.url.split("/")[:3])
        address = f"{self.url.replace('http', 'ws', 1)}app"
        async with connect(address, origin=origin, compression=None, max_size=None, open_timeout=60) as socket:
            self._socket, self.seen = socket, ""
            reading = asyncio.ensure_future(self._read())
            await socket.send(json.dumps(["hello", self.key, 80, 24]))
            try:
                yield self
            finally:
                reading.cancel()

    async def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            async for message in self._socket:
                if isinstance(message, bytes):
                    self.hear(message)
                else:
                    self.told.append(json.loads(message))

    async def keys(self, text: str) -> None:
        """Type; what was seen before does not count any more."""
        self.seen = ""
        await self._socket.send(json.dumps(["keys", text]))

    async def come_in(self, number: int) -> float:
        """Choose the name of that number; return the seconds until the names were there."""
        start = time.perf_counter()
        await self.wait("Pupil 01")
        seconds = time.perf_counter() - start
        await self.keys("\x1b[B" * number + "\r")
        await self.wait("Hola, Pupil")
        return seconds

    async def ask(self, question: str, answer: str = "Fuente:") -> float:
        """Ask; return the seconds until the answer, by default one with its source, was there."""
        self.seen = ""
        await self._socket.send(json.dumps(["keys", question]))
        await asyncio.sleep(1.0)
        start = time.perf_counter()
        await self.keys("\r")
        await self.wait(answer)
        return time.perf_counter() - start

    async def practise(self, items: int) -> None:
        """Answer some sums, right or wrong."""
        await self.keys("\x1b[17~")
        await self.wait("Sumas")
        await self.keys("\r")
        await self.wait("Pista")
        for _ in range(items):
            await self.keys("a")
            tries = 1
            if await self.wait("Todavía no", "Guardado.") == "Todavía no":
                await asyncio.sleep(SETTLE_SECONDS)
                await self.keys("b")
                await self.wait("Guardado.")
                tries = 2
            self.kept += tries
            await asyncio.sleep(SETTLE_SECONDS)
            await self.keys("\r")
            await self.wait("Pista")
            await asyncio.sleep(SETTLE_SECONDS)


@contextmanager
def open_classroom(home: Path) -> Iterator[tuple[str, int]]:
    """Open a classroom on loopback; give its address and the number of its process."""
    environ = {**os.environ, "AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"}
    command = [*AMAUTA, "classroom", "--host", "127.0.0.1", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd=ROOT) as process:
        if process.stdout is None:
            raise ValueError("no output")
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.terminate()
            process.communicate()


def memory_mb(root: int) -> tuple[float, int]:
    """Return the memory of a process and all below it, what is shared counted once (PSS), and how many they are."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, todo = [], [root]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    kilobytes = 0
    for one in found:
        with suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024, len(found)


async def lesson(url: str, pupils: int, process: int) -> dict[str, Any]:
    """Let a class come in at once, ask, practise, lose its connection and come back; return what was measured."""
    chance = random.Random(pupils)
    everybody = [Pupil(url) for _ in range(pupils)]
    facts: dict[str, Any] = {}

    async def first(number: int, pupil: Pupil) -> tuple[float, float, float]:
        async with pupil.connected():
            names = await pupil.come_in(number)
            together = await pupil.ask(ASKED[number % len(ASKED)])
            await asyncio.sleep(chance.uniform(0, SPREAD_SECONDS if pupils > 1 else 0))
            alone = await pupil.ask(ASKED[(number + 1) % len(ASKED)])
            await pupil.practise(ROUNDS)
            return names, together, alone

    async def again(number: int, pupil: Pupil) -> str:
        async with pupil.connected():
            return await pupil.wait("Ejercicio")

    times = await asyncio.gather(*(first(n, pupil) for n, pupil in enumerate(everybody)))
    facts["mb"], facts["processes"] = memory_mb(process)
    back = await asyncio.gather(*(again(n, pupil) for n, pupil in enumerate(everybody)))
    facts["back"] = len(back)
    for name, column in zip(("names", "together", "spread"), zip(*times, strict=True), strict=True):
        ordered = sorted(column)
        facts[name] = (ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])
    facts["said_kept"] = sum(pupil.kept for pupil in everybody)
    return facts


def measure(home: Path, pupils: int) -> dict[str, Any]:
    """Return what a class of this size measured, in a store of its own."""
    for old in home.glob("amauta.db*"):
        old.unlink()
    with Store.open(home / "amauta.db") as store:
        for number in range(pupils):
            store.add_learner(f"Pupil {number + 1:02}", "es", f"pupil-{number:02}")
    with open_classroom(home) as (url, process):
        facts = asyncio.run(lesson(url, pupils, process))
    with Store.open(home / "amauta.db") as store:
        facts["kept"] = store.attempt_count()
    return facts


def run() -> str:
    """Return the table."""
    if sys.platform != "linux":
        return "Measured on Linux only: memory is read from /proc."
    home = Path(home_with_index()["AMAUTA_HOME"])
    lines = [
        "| pupils | names on screen, all at once: median, p95 | bank answer, all ask at the same moment: median, p95 "
        f"| bank answer, asked within {SPREAD_SECONDS:.0f} s: median, p95 | MB for each further pupil (PSS) | answers kept | came back to the exercise |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    one = 0.0
    for pupils in SIZES:
        facts = measure(home, pupils)
        one = one or facts["mb"]
        more = f"{(facts['mb'] - one) / (pupils - 1):.0f}" if pupils > 1 else f"(the first, with all else: {one:.0f})"
        cells = [" ".join(f"{seconds:.2f} s" for seconds in facts[name]) for name in ("names", "together", "spread")]
        kept = f"{facts['kept']} of {facts['said_kept']}"
        lines.append(f"| {pupils} | {' | '.join(cells)} | {more} | {kept} | {facts['back']} of {pupils} |")
    return "\n".join(lines)
