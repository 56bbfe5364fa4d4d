"""From command to usable prompt in a real terminal, with and without a model that may answer, beside an empty Textual app."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import llama_server
from benchmarks.installed import install_model
from benchmarks.processes import AMAUTA, home_of_rosa, home_with_index
from benchmarks.shaped import MINI, random_model
from benchmarks.terminal import PROMPT, opened

RUNS = 7
PEER = f"""
from textual.app import App
from textual.widgets import Input
class Peer(App):
    def compose(self):
        yield Input(placeholder="{PROMPT}")
Peer().run()
"""


def run() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = random_model(folder)
        (folder / "peer.py").write_text(PEER, encoding="utf-8")
        peer = [sys.executable, str(folder / "peer.py")]
        first = home_with_index()
        homes = {
            what: _home(first, model, folder) for what, model in (("none", None), ("mini", MINI), ("0.3 B", large))
        }
        ways: dict[str, Callable[[], float]] = {
            "empty Textual app": lambda: _until_prompt(peer, homes["none"]),
            "`amauta`, no model that may answer": lambda: _until_prompt(AMAUTA, homes["none"]),
            "`amauta`, the mini may answer": lambda: _until_prompt(AMAUTA, homes["mini"]),
            "`amauta`, a model of 0.3 B may answer": lambda: _until_prompt(AMAUTA, homes["0.3 B"]),
            "`llama-server` with that model, until it is ready": lambda: _server(large),
        }
        times: dict[str, list[float]] = {what: [] for what in ways}
        for number in range(RUNS + 1):
            for what, way in ways.items():
                seconds = way()
                if number:  # the first starts fill the caches of the disk
                    times[what].append(seconds)
    peer_s = median(times["empty Textual app"])
    rows = [f"| {what} | {median(found):.2f} s | {median(found) / peer_s:.2f} |" for what, found in times.items()]
    head = "| what | command to prompt | times the empty app |\n|---|---|---|\n"
    return f"{head}{chr(10).join(rows)}\n\nMedian of {RUNS}, in turn. The model is opened with the first question, not before."


def _home(first: dict[str, str], model: Path | None, folder: Path) -> dict[str, str]:
    """Return the environment of a device with a learner and, perhaps, a model."""
    environment = home_of_rosa(first)
    if model is not None:
        install_model(Path(environment["AMAUTA_HOME"]), model, folder)
    return environment


def _until_prompt(command: list[str], environment: dict[str, str]) -> float:
    with opened(command, environment) as (_, seconds):
        return seconds


def _server(model: Path) -> float:
    start = time.perf_counter()
    with llama_server.running(model, 1, 2048):
        return time.perf_counter() - start
