"""Half an hour of a class at the engine: questions, answers broken off, sessions killed; memory, seats and latencies after it.

`AMAUTA_SOAK_MINUTES` makes it another time. The model is the mini, so that many answers pass.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.engine import _engine
from benchmarks.shaped import MINI
from edge.shared import wire
from edge.shared.client import SharedEngine
from edge.tutor.engine import Message

MINUTES = float(os.environ.get("AMAUTA_SOAK_MINUTES", "30"))
SEATS, PUPILS, LONGEST, PAUSE_S = 4, 8, 48, 0.5
LESSON = "La llama vive en la sierra. Come pastos duros y aguanta el frío. Su lana sirve para hacer ponchos. " * 3
QUESTIONS = ("¿Dónde vive la llama?", "¿Qué come la llama?", "¿Para qué sirve su lana?", "¿Cómo es la sierra?")


@dataclass(frozen=True, slots=True)
class Heard:
    """One question."""

    at: float
    first_s: float
    """Until the first piece."""

    how: str
    """whole, broken off, hung up."""


def run() -> str:
    """Return the table."""
    heard: list[Heard] = []
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        home, peaks = Path(folder) / "home", list[float]()
        with _engine(MINI, SEATS, home, peaks):
            end = time.monotonic() + 60 * MINUTES
            pupils = [threading.Thread(target=_pupil, args=(home, n, end, heard.append)) for n in range(PUPILS)]
            for pupil in pupils:
                pupil.start()
            while time.monotonic() < end:
                memory.append((time.monotonic(), _rss_mb(home)))
                time.sleep(min(5.0, 6 * MINUTES))
            for pupil in pupils:
                pupil.join()
            free = _free_seats(home)
    return _table(heard, memory, free)


def _table(heard: list[Heard], memory: list[tuple[float, float]], free: int) -> str:
    third = len(memory) // 3
    early, late = (median(mb for _, mb in part) for part in (memory[third : 2 * third], memory[2 * third :]))
    cut = memory[third][0], memory[2 * third][0]
    firsts = [each.first_s for each in heard if each.at > cut[0] and each.first_s]
    old = [each.first_s for each in heard if cut[0] < each.at <= cut[1] and each.first_s]
    new = [each.first_s for each in heard if each.at > cut[1] and each.first_s]
    counts = ", ".join(f"{sum(each.how == how for each in heard)} {how}" for how in ("whole", "broken off", "hung up"))
    rows = ["| what | figure |", "|---|---|", f"| minutes, pupils, seats | {MINUTES:g}, {PUPILS}, {SEATS} |"]
    rows.append(f"| questions | {len(heard)}: {counts} |")
    rows.append(f"| memory of the engine, second and last third, MB (RSS) | {early:.1f}, {late:.1f} |")
    rows.append(f"| first piece, median, last third of second third | {median(new) / median(old):.2f} |")
    rows.append(f"| first piece, 95th percentile, s | {sorted(firsts)[int(0.95 * len(firsts))]:.2f} |")
    rows.append(f"| seats that answer at once afterwards | {free} of {SEATS} |")
    return "\n".join(rows)


def _pupil(home: Path, number: int, end: float, told: Callable[[Heard], None]) -> None:
    """Ask again and again; sometimes break off, sometimes vanish in the middle."""
    chance = random.Random(number)
    while time.monotonic() < end:
        how = chance.choices(("whole", "broken off", "hung up"), (6, 3, 1))[0]
        began = time.monotonic()
        told(Heard(began, _hung_up(home, number) if how == "hung up" else _asked(home, number, how, chance), how))
        time.sleep(chance.random() * PAUSE_S)


def _messages(chance: random.Random) -> list[Message]:
    content = f"Texto: {LESSON[: chance.randrange(90, len(LESSON))]}\nPregunta: {chance.choice(QUESTIONS)}"
    return [{"role": "user", "content": content}]


def _asked(home: Path, number: int, how: str, chance: random.Random) -> float:
    began, first, pieces = time.monotonic(), 0.0, 0
    most = LONGEST if how == "whole" else chance.randrange(3)
    stopped = threading.Event()
    for event in SharedEngine(home, str(number)).stream(_messages(chance), max_tokens=LONGEST, stop=stopped.is_set):
        if isinstance(event, str):
            first = first or time.monotonic() - began
            pieces += 1
        if pieces > most or (how != "whole" and not most):
            stopped.set()
    return first


def _hung_up(home: Path, number: int) -> float:
    """Ask as a session does, and go away without a word."""
    place = wire.found(home)
    assert place is not None
    asked = {"secret": place.secret, "who": str(number), "messages": _messages(random.Random(number)), "most": LONGEST}
    with socket.create_connection((wire.HOST, place.port)) as link:
        link.sendall(wire.line({**asked, "shape": None}))
        time.sleep(0.05)
    return 0.0


def _free_seats(home: Path) -> int:
    """Return how many of as many questions as there are seats were answered at once, none waiting for another."""
    waited: list[bool] = []

    def ask(number: int) -> None:
        events = list(
            SharedEngine(home, f"last {number}").stream(_messages(random.Random(1)), max_tokens=8, stop=lambda: False)
        )
        waited.append(not all(isinstance(event, str) for event in events))

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(SEATS)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    return waited.count(False)


def _rss_mb(home: Path) -> float:
    """Return the engine's memory; its process is the one that listens at its port."""
    place = wire.found(home)
    assert place is not None
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if str(home).encode() in command and b"edge.shared.server" in command:
                lines = (folder / "status").read_text().splitlines()
                return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
        except (OSError, StopIteration):
            continue
    raise SystemExit("the engine's process is gone")
