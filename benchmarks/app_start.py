"""From command to usable prompt in a real terminal, beside an empty Textual app with one input."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import AMAUTA, ROOT, home_with_index

RUNS = 5
PEER = """
from textual.app import App
from textual.widgets import Input
class Peer(App):
    def compose(self):
        yield Input(placeholder="Escribe tu pregunta")
Peer().run()
"""
SHOWN = "Escribe tu pregunta"


def run() -> str:
    """Return the table."""
    environment = home_with_index()
    Path(environment["AMAUTA_HOME"], "settings.toml").write_text('lang = "es"\n', encoding="utf-8")
    _add_learner(environment)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as peer:
        peer.write(PEER)
        peer.flush()
        ours, theirs = [], []
        for _ in range(RUNS):
            ours.append(_until_prompt(AMAUTA, environment))
            theirs.append(_until_prompt([sys.executable, peer.name], environment))
    mine, other = statistics.median(ours), statistics.median(theirs)
    return (
        "| what | command to prompt | times the peer |\n|---|---|---|\n"
        f"| `amauta` | {mine:.2f} s | {mine / other:.1f} |\n| empty Textual app | {other:.2f} s | 1 |\n\nMedian of {RUNS}, in turn."
    )


def _add_learner(environment: dict[str, str]) -> None:
    import subprocess

    subprocess.run([*AMAUTA, "learners", "add", "Rosa"], env=environment, cwd=ROOT, check=True, capture_output=True)


def _until_prompt(command: list[str], environment: dict[str, str]) -> float:
    """Start the app in a terminal of 80x24 and wait until typed letters appear in its prompt."""
    import pexpect

    start = time.perf_counter()
    app = pexpect.spawn(
        command[0], command[1:], env={**environment, "TERM": "xterm-256color"}, cwd=str(ROOT), dimensions=(24, 80)
    )
    try:
        app.expect(SHOWN.encode(), timeout=20)
        return time.perf_counter() - start
    finally:
        app.close(force=True)
