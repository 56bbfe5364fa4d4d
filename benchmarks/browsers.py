"""Real browsers (headless Chromium) in a class while a model of 0.3 B writes for it: what is lost, how soon, how much memory.

Some pupils ask what only passages answer, again and again, so that every seat of the engine writes all the time (what a model of
random weights writes is refused by the checks, and the passage follows). The others ask what the bank answers, practise, lose
their page and come back. In a school the browsers have processors of their own;
here they give way to everything else, and one more pupil without a browser tells how soon answers leave the laptop.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.chromium import PATIENCE_SECONDS, Browser, giving_way
from benchmarks.classroom import Pupil, memory_mb, open_classroom
from benchmarks.installed import install_model
from benchmarks.processes import ROOT, home_with_index
from benchmarks.shaped import random_model
from benchmarks.terminal import memory_mb as of_process
from edge.learning.store import Store
from edge.library.library import Library
from edge.settings import Settings
from edge.shared import wire
from edge.shared.room import LESSON_TOKENS, SEAT_TOKENS
from edge.shared.seats import MOST_SEATS, token_bytes
from edge.tutor.gguf import read_head
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor

SIZES = (1, 30)
WRITERS = 12
"""Pupils who let the model write, a few more than it has seats."""

BANK_QUESTIONS, BANK_LESSONS = 3, 40
SPREAD_SECONDS, WRITING_FOR_S = 20.0, 8.0
PUPILS = ROOT / "tests" / "data" / "pupil_questions.toml"


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask, by who answers it."""

    bank: tuple[tuple[str, str], ...]
    """With the first words of the answer."""

    passage: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What one class measured."""

    pupils: int
    firsts: tuple[float, ...]
    """Seconds until the first words of bank answers stood on a page."""

    probed: tuple[float, ...]
    """Until they had left the laptop."""

    model_turns: int
    apps_mb: float
    """Of server and apps without the engine (PSS)."""

    engine_mb: float
    """The engine's peak (RSS)."""

    again: int
    """How many pages had to be loaded again."""

    back: int
    said_kept: int


def questions(home: Path) -> Questions:
    """Sort questions by what answers them here without a model."""
    bank, passage = [], []
    with closing(Library.open(Settings(home, lang="es"))) as library:
        tutor = Tutor(library, Reader.open, lambda: None)
        asked = [row["question"] for row in tomllib.loads(PUPILS.read_text("utf-8"))["answered"] if row["lang"] == "es"]
        lessons = [library.lesson(row.id) for row in library.lessons("es")][:BANK_LESSONS]
        for question in asked + [lesson.bank[0].question for lesson in lessons if lesson.bank]:
            *_, reply = tutor.answer(question, lang="es")
            if not isinstance(reply, Reply):
                continue
            words = " ".join(reply.text.split()[:3])
            if reply.mode == "passage":
                passage.append(question)
            elif reply.mode == "bank" and words not in question:
                bank.append((question, words))
    return Questions(tuple(bank), tuple(passage))


async def lesson(url: str, process: int, pupils: int, asked: Questions, home: Path) -> Found:
    """Let a class come in, ask, practise, vanish and come back, while the model writes for some of it."""
    from playwright.async_api import async_playwright

    chance, over = random.Random(pupils), asyncio.Event()

    async def write(browser: Browser) -> None:
        while not over.is_set():
            await browser.ask_model(chance.choice(asked.passage))

    async def probe(done: asyncio.Event) -> list[float]:
        pupil, times = Pupil(url), list[float]()
        async with pupil.connected():
            await pupil.come_in(pupils)
            while not done.is_set():
                times.append(await pupil.ask(*chance.choice(asked.bank)))
        return times

    async def learn(browser: Browser) -> None:
        for question, words in chance.sample(asked.bank, BANK_QUESTIONS):
            await asyncio.sleep(chance.uniform(0, SPREAD_SECONDS / BANK_QUESTIONS))
            await browser.ask_bank(question, words)

    async def leave(browser: Browser) -> None:
        await browser.practise()
        await browser.vanish_and_come_back()

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=giving_way(home), args=["--no-sandbox"])
        browsers = []
        for number in range(pupils):
            context = await chromium.new_context(viewport={"width": 800, "height": 600})
            browsers.append(Browser(await context.new_page(), number))
        await asyncio.gather(*(browser.come_in(url) for browser in browsers))
        for browser in browsers:
            await browser.press("F2", "Pregunta")
        writers, learners = (browsers[:WRITERS], browsers[WRITERS:]) if pupils > WRITERS else ([], browsers)
        writing = [asyncio.ensure_future(write(browser)) for browser in writers]
        await asyncio.sleep(WRITING_FOR_S if writing else 0)
        taught = asyncio.Event()
        probing = asyncio.ensure_future(probe(taught))
        await asyncio.gather(*map(learn, learners))
        taught.set()
        probed = sorted(await probing)
        await asyncio.gather(*map(leave, learners))
        over.set()
        await asyncio.gather(*writing)
        await asyncio.gather(*map(leave, writers))
        engine = int(json.loads((home / wire.FILE).read_bytes())["pid"])
        apps_mb, engine_mb = memory_mb(process)[0] - memory_mb(engine)[0], of_process(engine)["VmHWM"]
        await chromium.close()
    again = sum(browser.loaded - 1 for browser in browsers)
    firsts = sorted(first for browser in browsers for first in browser.firsts)
    turns, kept = sum(browser.model_turns for browser in browsers), sum(browser.kept for browser in browsers)
    return Found(pupils, tuple(firsts), tuple(probed), turns, apps_mb, engine_mb, again, len(browsers), kept)


def measure(home: Path, pupils: int, asked: Questions) -> tuple[Found, int]:
    """Return what a class of this size measured, and how many answers are in the store afterwards."""
    for old in home.glob("amauta.db*"):
        old.unlink()
    with Store.open(home / "amauta.db") as store:
        for number in range(pupils + 1):
            store.add_learner(f"Pupil {number + 1:02}", "es", f"pupil-{number:02}")
    with open_classroom(home) as (url, process):
        end = time.monotonic() + PATIENCE_SECONDS
        while not wire.answers(home):
            if time.monotonic() > end:
                raise SystemExit("the engine of the class did not open")
            time.sleep(0.2)
        found = asyncio.run(lesson(url, process, pupils, asked, home))
    with Store.open(home / "amauta.db") as store:
        return found, store.attempt_count()


def run() -> str:
    """Return the table."""
    if sys.platform != "linux" or shutil.which("chromium") is None:
        return "Measured on Linux with Chromium only (apt install chromium)."
    home = Path(home_with_index()["AMAUTA_HOME"])
    with tempfile.TemporaryDirectory() as folder:
        model = install_model(home, random_model(Path(folder)), Path(folder))
        asked = questions(home)
        (one, _), (many, kept) = (measure(home, pupils, asked) for pupils in SIZES)
    memory = token_bytes(read_head(model)) * (LESSON_TOKENS + (1 + MOST_SEATS) * SEAT_TOKENS) / (1 << 20)
    size = model.stat().st_size / (1 << 20)
    shown, sent = ([median(times), times[int(0.95 * len(times))]] for times in (many.firsts, many.probed))
    rows = [
        "| what | figure |",
        "|---|---|",
        f"| browsers at once, of them letting the model write all the time | {many.pupils}, {WRITERS} |",
        f"| pages that had to be loaded again until they came | {many.again} |",
        f"| answers that the model was asked for | {many.model_turns} |",
        f"| pupils back at their exercise after their page was gone | {many.back} of {many.pupils} |",
        f"| answers kept of those that the app said were kept | {kept} of {many.said_kept} |",
        f"| bank answers, Enter to first words on the page, of {len(many.firsts)}: median, 95th percentile "
        f"| {1000 * shown[0]:.0f} ms, {1000 * shown[1]:.0f} ms |",
        f"| bank answers, Enter to first words sent, of {len(many.probed)}: median, 95th percentile "
        f"| {1000 * sent[0]:.0f} ms, {1000 * sent[1]:.0f} ms |",
        f"| both in a class of one, nobody lets the model write: median "
        f"| {1000 * median(one.firsts):.0f} ms, {1000 * median(one.probed):.0f} ms |",
        f"| each further pupil, PSS | {(many.apps_mb - one.apps_mb) / (many.pupils - one.pupils):.0f} MB |",
        f"| the engine at its peak; file; memory of {MOST_SEATS} conversations; what that leaves "
        f"| {many.engine_mb:.0f}; {size:.0f}; {memory:.0f}; {many.engine_mb - size - memory:.0f} MB |",
    ]
    return "\n".join(rows)
