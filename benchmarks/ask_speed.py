"""`amauta ask`: first words and whole process, beside a Python that only imports sqlite-utils and numpy."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from benchmarks.processes import AMAUTA, home_with_index, in_turn, timed

RUNS = 7
PEER = [sys.executable, "-c", "import sqlite_utils, numpy; print(1)"]
DATA = Path(__file__).parent.parent / "tests" / "data"


def run() -> str:
    """Return the table."""
    environment = home_with_index()
    passage = tomllib.loads((DATA / "passage_question.toml").read_text(encoding="utf-8"))["question"]
    questions = {
        "bank": "¿Cómo se alimentan las plantas?",
        "passage": passage,
        "none": "¿Quién ganó el mundial de fútbol?",
    }
    commands = [[*AMAUTA, "ask", question] for question in questions.values()]
    *found, peer = in_turn(RUNS, *((lambda c=c: timed(c, environment)) for c in [*commands, PEER]))
    rows = [
        f"| {mode} | {t.first_byte:.2f} s | {t.whole:.2f} s | {t.whole / peer.whole:.1f} | {t.peak_mb:.0f} MB |"
        for mode, t in zip(questions, found, strict=True)
    ]
    head = "| mode | first words | whole process | times the peer | peak memory |\n|---|---|---|---|---|\n"
    return f"{head}{chr(10).join(rows)}\n| peer | | {peer.whole:.2f} s | 1 | {peer.peak_mb:.0f} MB |\n\nMedian of {RUNS}, in turn."
