"""Memory of the app with a model ready, and what it needs beyond the model's file and its conversation.

Memory mapped from the file is counted. At its peak the model is being loaded. The larger model is a Llama of random weights (0.3B,
Q4_K) with the mini's vocabulary; it answers through the same tutor.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from benchmarks.processes import AMAUTA, ROOT, home_with_index, timed
from benchmarks.shaped import random_model

QUESTION = "¿Qué parte de la planta toma el agua del suelo?"

APP = """
import asyncio, json, os, sys
from dataclasses import replace
from pathlib import Path
from edge.settings import load
from edge.tutor import workshop
from edge.tutor.llama import LlamaEngine
from tui.app import AmautaApp
from tui.opening import open_services
wrote = []
def model(settings):
    engine = LlamaEngine.open(Path(sys.argv[1]))
    plain = engine.stream
    def stream(*args, **named):
        for piece in plain(*args, **named):
            wrote.append(piece)
            yield piece
    engine.stream = stream
    wrote.append(engine)
    return engine
if len(sys.argv) > 1:
    workshop.allowed_model = model
services = open_services(replace(load(), lang="es"))
def ask():
    return list(services.tutor().answer({question!r}, lang="es"))
async def use():
    async with AmautaApp(services).run_test(size=(80, 24)) as pilot:
        await asyncio.to_thread(ask)
        await pilot.pause()
        status = Path("/proc/self/status").read_text()
        found = {{name: int(status.split(name + ":")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}}
        memory = wrote[0].memory_bytes / (1 << 20) if wrote else 0.0
        print(json.dumps({{**found, "conversation": memory, "pieces": len(wrote) - 1}}))
asyncio.run(use())
"""


def run() -> str:
    """Return the table."""
    environment = home_with_index()
    mini = Path(str(files("edge") / "models" / "mini" / "mini.gguf"))
    tried = timed([*AMAUTA, "models", "try", "¿Qué es una planta?", "--max-tokens", "40"], environment)
    size = mini.stat().st_size / (1 << 20)
    rows = [
        "| what | file | conversation | at its peak | after an answer | that beyond file and conversation |",
        "|---|---|---|---|---|---|",
        f"| `amauta models try` | {size:.0f} MB | | | {tried.peak_mb:.0f} MB | | |",
        _row("the app, question answered by the library", None, environment),
        _row("the app, question answered by the mini", mini, environment),
    ]
    with tempfile.TemporaryDirectory() as folder:
        rows.append(_row("the app, question answered by a model of 0.3B", random_model(Path(folder)), environment))
    return "\n".join(rows)


def _row(name: str, model: Path | None, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", APP.format(question=QUESTION), *([str(model)] if model else [])]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    if model and found["pieces"] < 1:
        raise SystemExit(f"{model} wrote nothing")
    size = model.stat().st_size / (1 << 20) if model else 0.0
    rest, peak, talk = found["VmRSS"], found["VmHWM"], found["conversation"]
    return f"| {name} | {size:.0f} MB | {talk:.0f} MB | {peak:.0f} MB | {rest:.0f} MB | {rest - size - talk:.0f} MB |"
