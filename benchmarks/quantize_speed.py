"""Quantizing by plan against llama.cpp's own routine on the same file: time, and peak memory on a random 1B.

Each run is a process of its own, by turns; time is the processor's, so that other programs count less, from when
the libraries are loaded; ours holds the reading of the parent and the check of the finished file.
Files lie in a temporary folder and are deleted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.shaped import ROOT, Size, write_random

MB = 1 << 20
OURS = """
import sys, time
from pathlib import Path
from quantize.bits.allocate import plan_of
from quantize.bits.parent import read_parent
from quantize.bits.quantize import write_planned
from edge.tutor.llama_library import load_library
import gguf
load_library()
began = time.process_time()
parent = read_parent(Path(sys.argv[1]))
write_planned(parent, plan_of(parent, {t.name: sys.argv[3] for t in parent.plannable}), {}, Path(sys.argv[2]))
"""
STOCK = """
import ctypes, os, sys, time
from edge.tutor.llama_library import load_library
api = load_library().api
began = time.process_time()
params = api.llama_model_quantize_default_params()
params.nthread, params.ftype, params.pure = 1, {"Q8_0": 7, "Q4_0": 2, "Q4_K": 15}[sys.argv[3]], True
kind = {"Q8_0": 8, "Q4_0": 2, "Q4_K": 12}[sys.argv[3]]
params.output_tensor_type = params.token_embedding_type = kind
assert api.llama_model_quantize(os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), ctypes.byref(params)) == 0
"""
SAY = """
print(time.process_time() - began)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


BILLION = Size(layers=16, hidden=2048, feed_forward=8192, vocabulary=32_000)
SMALL = Size(layers=4, hidden=1024, feed_forward=2816, vocabulary=16_000)


def run() -> str:
    """Return the table."""
    rows = [
        "| file | type | runs | llama.cpp, CPU s | by plan, CPU s | speed | peak memory | largest tensor x 1.5 + 500 MB |"
    ]
    rows.append("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, size, kinds, times in (
            ("random 64M", SMALL, ("Q8_0", "Q4_0", "Q4_K"), 3),
            ("random 1.1B", BILLION, ("Q8_0",), 1),
        ):
            path = Path(folder) / "random.gguf"
            most = write_random(path, size)
            for kind in kinds:
                rows.append(_row(name, path, kind, times, most))
    return "\n".join(rows)


def _row(name: str, path: Path, kind: str, times: int, most: int) -> str:
    taken: dict[str, list[float]] = {"stock": [], "ours": []}
    peak = 0
    for _ in range(times):
        for who, script in (("stock", STOCK), ("ours", OURS)):
            seconds, memory = _timed(script, path, kind)
            taken[who].append(seconds)
            peak = max(peak, memory if who == "ours" else 0)
    stock, ours = median(taken["stock"]), median(taken["ours"])
    allowed = 1.5 * most + 500 * MB
    return (
        f"| {name} ({path.stat().st_size / MB:.0f} MB) | {kind} | {times} | {stock:.1f} | {ours:.1f} | {stock / ours:.2f}x"
        f" | {peak / MB:.0f} MB | {allowed / MB:.0f} MB |"
    )


def _timed(script: str, path: Path, kind: str) -> tuple[float, int]:
    """Return the processor's seconds and the peak memory of one run."""
    output = path.with_name("out.gguf")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    wrapped = f"{script}{SAY}"
    command = [sys.executable, "-c", wrapped, str(path), str(output), kind]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    output.unlink()
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), int(memory) * 1024
