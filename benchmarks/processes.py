"""Time whole processes from outside, and read how much memory they took."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

AMAUTA = [sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main(sys.argv[1:]))"]
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Timing:
    """What one process took."""

    first_byte: float
    """Seconds until it first wrote to stdout."""

    whole: float
    peak_mb: float


def home_with_index() -> dict[str, str]:
    """Return an environment with a home of its own in which the index is already built."""
    environment = {**os.environ, "AMAUTA_HOME": tempfile.mkdtemp(prefix="amauta-bench-"), "AMAUTA_LANG": "es"}
    subprocess.run([*AMAUTA, "ask", "hola"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return environment


def home_of_rosa(first: dict[str, str]) -> dict[str, str]:
    """Return an environment with one more home, the index of the first one, and a learner in it."""
    home = Path(tempfile.mkdtemp(prefix="amauta-bench-"))
    if (index := Path(first["AMAUTA_HOME"]) / "index").is_dir():
        (home / "index").symlink_to(index)
    (home / "settings.toml").write_text('lang = "es"\n', encoding="utf-8")
    environment = {**first, "AMAUTA_HOME": str(home)}
    subprocess.run([*AMAUTA, "learners", "add", "Rosa"], env=environment, cwd=ROOT, check=True, capture_output=True)
    return environment


def timed(command: Sequence[str], environment: dict[str, str]) -> Timing:
    """Run one process to its end, and once more for its memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.read(1)
        first = time.perf_counter() - start
        process.stdout.read()
    process.wait()
    return Timing(first, time.perf_counter() - start, peak_mb(command, environment))


SMALL_PARENT = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_mb(command: Sequence[str], environment: dict[str, str]) -> float:
    """Return a process's peak memory; a small parent starts it, because Linux counts the parent's too."""
    small = [sys.executable, "-c", SMALL_PARENT, *command]
    done = subprocess.run(small, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
    return int(done.stdout) / 1024


def medians(runs: Sequence[Timing]) -> Timing:
    """Return the median of each figure."""
    return Timing(
        *(statistics.median(getattr(run, name) for run in runs) for name in ("first_byte", "whole", "peak_mb"))
    )


def in_turn(times: int, *commands: Callable[[], Timing]) -> list[Timing]:
    """Run the commands in turn, so that a busy machine hits them alike; return the medians."""
    runs: list[list[Timing]] = [[] for _ in commands]
    for _ in range(times):
        for found, command in zip(runs, commands, strict=True):
            found.append(command())
    return [medians(found) for found in runs]
