"""How long a model goes on after it was told to stop, at chance moments: while it reads, checks guesses, serves a class.

A Llama of random weights (0.3B, Q4_K, two threads) that reads 1,800 tokens. A stop is heard between two steps of the
computation, so the figure grows with the machine's load.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.shaped import random_model
from edge.llama.reading import Reading
from edge.shared.desk import Desk, Request
from edge.shared.room import Room, opened
from edge.tutor.llama import LlamaEngine

STOPS, TOKENS = 20, 1800
Stop = Callable[[], bool]


def run() -> str:
    """Return the table."""
    chance = random.Random(4)
    tokens = [chance.randrange(8, 8192) for _ in range(TOKENS)]
    rows = ["| stopped while | median | longest | a whole batch of 256 |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        path = random_model(Path(folder))
        with LlamaEngine.open(path) as engine:
            reading = engine._reading
            began = time.perf_counter()
            reading.read(tokens[:256])
            batch = time.perf_counter() - began
            rows.append(_row("a question is read", lambda stop: _read(reading, tokens, stop), batch, chance))
            rows.append(_row("guesses are checked", lambda stop: _guess(reading, tokens, stop), batch, chance))
        with opened(path, 2) as room:
            rows.append(_row("a class's engine reads", lambda stop: _serve(room, tokens, stop), batch, chance))
    return "\n".join(rows)


def _row(name: str, work: Callable[[Stop], float], batch: float, chance: random.Random) -> str:
    """Return the row of one kind of work, which tells when it began."""
    taken = []
    for _ in range(STOPS):
        asked, stopped = threading.Event(), [0.0]
        after = chance.uniform(0.1, 0.8) * batch * 2

        def press(asked: threading.Event = asked, stopped: list[float] = stopped) -> None:
            stopped[0] = time.perf_counter()
            asked.set()

        timer = threading.Timer(after, press)
        timer.start()
        ended = work(asked.is_set)
        timer.join()
        taken.append(max(0.0, ended - stopped[0]))
    return f"| {name} | {median(taken) * 1000:.0f} ms | {max(taken) * 1000:.0f} ms | {batch * 1000:.0f} ms |"


def _read(reading: Reading, tokens: list[int], stop: Stop) -> float:
    reading.forget()
    reading.read(tokens, stop)
    return time.perf_counter()


def _guess(reading: Reading, tokens: list[int], stop: Stop) -> float:
    reading.forget()
    while reading.read(tokens[:4], stop, every=True):
        if len(reading.past) > TOKENS:
            reading.cut(32)
    return time.perf_counter()


def _serve(room: Room, tokens: list[int], stop: Stop) -> float:
    """Serve one pupil who leaves when `stop` says so; return when her request ended."""
    ended: list[float] = []
    room.sequences.cut(0, 0)
    desk = Desk(room.sequences, 2, lambda token: False)
    request = Request("a", tokens, 4, lambda event: ended.append(time.perf_counter()) if "end" in event else None)
    desk.ask(request)
    watching = threading.Thread(target=_leave, args=(desk, request, stop))
    watching.start()
    while desk.round():
        pass
    watching.join()
    return ended[0]


def _leave(desk: Desk, request: Request, stop: Stop) -> None:
    while not stop():
        time.sleep(0.001)
    desk.take_back(request)
