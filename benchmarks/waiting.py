"""Two threads that compute together: how they wait for each other, on an idle machine and beside another program.

Tokens a second of a Llama of random weights (0.3 B), by turns: with a fixed number of rounds awake (`GOMP_SPINCOUNT`), and
as the engine chooses by looking at the machine. The other program works and sleeps by turns. `chrt` must not be used here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.shaped import ROOT, random_model

ROUNDS, WRITE = 4, 48
WAYS = ("0", "300", "3000", "300000", "looks")
OTHERS = {
    "alone": None,
    "10 ms of 100": (0.01, 0.09),
    "100 ms of 200": (0.1, 0.1),
    "300 ms of 600": (0.3, 0.3),
    "all the time": (1, 0),
}

OTHER = """
import time
while True:
    end = time.monotonic() + {work}
    while time.monotonic() < end:
        pass
    time.sleep({sleep})
"""

PACE = """
import json, sys, time
from pathlib import Path
from edge.tutor.llama import LlamaEngine
engine = LlamaEngine.open(Path(sys.argv[1]), threads=2)
reading = engine._reading
if sys.argv[2] != "looks" and (company := reading.computing._company):
    company._set(asleep=False)
    reading.computing._company = None

def pace(count):
    reading.forget()
    reading.read([10])
    began = time.perf_counter()
    for _ in range(count):
        reading.read([int(reading.scores().argmax())])
    return count / (time.perf_counter() - began)

pace(16)
print(json.dumps(pace({write})))
"""


def run() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(Path(folder))
        rows = [_row(name, other, model) for name, other in OTHERS.items()]
    head = [f"{way} rounds" for way in WAYS[:-1]] + ["as the engine chooses", "of the best fixed"]
    return "\n".join([f"| another program works | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|", *rows])


def _row(name: str, other: tuple[float, float] | None, model: Path) -> str:
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    company = other and subprocess.Popen([sys.executable, "-c", OTHER.format(work=other[0], sleep=other[1])])
    try:
        for _ in range(ROUNDS):
            for way in WAYS:
                found[way].append(_pace(model, way))
    finally:
        if company:
            company.kill()
    paces = {way: median(runs) for way, runs in found.items()}
    ratio = paces["looks"] / max(pace for way, pace in paces.items() if way != "looks")
    return f"| {name} | {' | '.join(f'{pace:.1f}' for pace in paces.values())} | {ratio:.2f} |"


def _pace(model: Path, way: str) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment["PYTHONPATH"] = str(ROOT)
    if way != "looks":
        environment["GOMP_SPINCOUNT"] = way
    command = [sys.executable, "-c", PACE.replace("{write}", str(WRITE)), str(model), way]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))
