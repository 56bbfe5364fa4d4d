"""The app as a person starts it: in a terminal of 80x24, until letters can be typed and questions are answered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT

PROMPT = "Escribe tu pregunta"
START_S, ANSWER_S = 60, 600


@contextmanager
def opened(command: Sequence[str], environment: dict[str, str]) -> Iterator[tuple[Any, float]]:
    """Start a program; give it, and the seconds from the command to its prompt."""
    import pexpect

    start = time.perf_counter()
    app = pexpect.spawn(
        command[0],
        list(command[1:]),
        env={**environment, "TERM": "xterm-256color"},
        cwd=str(ROOT),
        dimensions=(24, 80),
    )
    app.delayafterterminate = 5  # seconds: a busy machine takes a while
    try:
        app.expect(PROMPT.encode(), timeout=START_S)
        yield app, time.perf_counter() - start
    finally:
        app.close(force=True)


def ask(app: Any, question: str, answered: str = "Fuente:") -> float:
    """Ask; return the seconds until the answer stood there."""
    app.send(question)
    drained(app, 1.0)
    start = time.perf_counter()
    app.send("\r")
    app.expect(answered.encode(), timeout=ANSWER_S)
    return time.perf_counter() - start


def drained(app: Any, seconds: float) -> None:
    """Read what a program draws, so that it never waits for us."""
    import pexpect

    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        app.expect([pexpect.TIMEOUT, b"\x00never"], timeout=left)


def memory_mb(process: int) -> dict[str, float]:
    """Return what a process has in memory now and at most (`VmRSS`, `VmHWM`)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    return {name: int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}


def maps(process: int, file: Path) -> bool:
    """Tell whether a process has a file open in its memory."""
    return str(file.resolve()) in Path(f"/proc/{process}/maps").read_text(encoding="utf-8", errors="replace")
