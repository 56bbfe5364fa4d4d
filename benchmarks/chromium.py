"""One pupil's real browser (headless Chromium): types, and looks for words in what comes and in what stands on the page."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.classroom import Watched

PATIENCE_SECONDS, LOAD_SECONDS = 900.0, 60.0
GIVES_WAY, SUMS = 5, 3

ENTER_AND_WATCH = """words => new Promise(done => {
    const screen = document.getElementById("screen"), began = performance.now();
    const look = () => { if (screen.textContent.replace(/\\s+/g, " ").includes(words)) done(performance.now() - began); };
    new MutationObserver(look).observe(screen, {childList: true, subtree: true, characterData: true});
    document.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
})"""


@dataclass
class Browser(Watched):
    """One pupil's browser: a page, and what came to it."""

    patience_seconds, look_seconds = PATIENCE_SECONDS, 0.02

    page: Any
    number: int
    seen: str = ""
    kept: int = 0
    firsts: list[float] = field(default_factory=list)
    """Seconds from Enter until the first words of a bank answer stood on the page."""

    model_turns: int = 0
    loaded: int = 0
    """How often the page was loaded until it came."""

    async def come_in(self, url: str) -> None:
        """Open the address and touch the own name."""
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._hear))
        from playwright.async_api import Error

        while "Pupil 01" not in self.seen:
            self.loaded += 1
            with suppress(Error, TimeoutError):  # a page that does not come is loaded again, as a person does
                await self.page.goto(url)
                await asyncio.wait_for(self.wait("Pupil 01"), LOAD_SECONDS)
        for _ in range(self.number):
            await self.page.keyboard.press("ArrowDown")
        await self.press("Enter", "Hola, Pupil")

    def _hear(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.hear(frame)

    async def press(self, key: str, *words: str) -> str:
        """Press a key and wait for words that come after it."""
        self.seen = ""
        await self.page.keyboard.press(key)
        return await self.wait(*words)

    async def write(self, question: str) -> None:
        """Type a question."""
        await self.page.keyboard.insert_text(question)
        await self.wait(question[-12:])

    async def ask_bank(self, question: str, words: str) -> None:
        """Ask what the bank answers; keep how long its first words took."""
        await self.write(question)
        self.firsts.append(await self.page.evaluate(ENTER_AND_WATCH, words) / 1000)

    async def ask_model(self, question: str) -> None:
        """Ask what the model is asked too, and wait for the end."""
        await self.write(question)
        await self.press("Enter", "Fuente:")
        self.model_turns += 1

    async def practise(self) -> None:
        """Answer some sums, right or wrong."""
        await self.press("F6", "Sumas")
        await self.press("Enter", "Pista")
        for _ in range(SUMS):
            self.kept += 1
            if await self.press("a", "Todavía no", "Guardado.") == "Todavía no":
                await asyncio.sleep(0.5)
                self.kept += 1
                await self.press("b", "Guardado.")
            await asyncio.sleep(0.5)
            await self.press("Enter", "Pista")
            await asyncio.sleep(0.5)

    async def vanish_and_come_back(self) -> None:
        """Leave the page without a word, and be at the same exercise afterwards."""
        await self.page.goto("about:blank")
        await asyncio.sleep(2)
        self.seen = ""
        await self.page.go_back()
        await self.wait("Ejercicio")


def giving_way(folder: Path) -> str:
    """Return a program that starts the browser so that it gives way."""
    program = folder / "chromium.sh"
    program.write_text(f'#!/bin/sh\nexec nice -n {GIVES_WAY} {shutil.which("chromium")} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)
