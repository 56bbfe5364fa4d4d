"""Memory of the app in a real terminal with a model ready, and what it needs beyond the model's file and its conversation.

Memory mapped from the file is counted. At its peak the model is being loaded. The larger model is a Llama of random weights (0.3B,
Q4_K) with the mini's vocabulary; what it writes is refused by the tutor's checks, and the library answers after it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.installed import install_model
from benchmarks.processes import AMAUTA, home_of_rosa, home_with_index, timed
from benchmarks.shaped import MINI, random_model
from benchmarks.terminal import ask, drained, maps, memory_mb, opened
from edge.shared.seats import token_bytes
from edge.tutor.gguf import read_head
from edge.tutor.llama import CONTEXT_TOKENS

QUESTION = "¿Qué parte de la planta toma el agua del suelo?"


def run() -> str:
    """Return the table."""
    first = home_with_index()
    tried = timed([*AMAUTA, "models", "try", "¿Qué es una planta?", "--max-tokens", "40"], first)
    size = MINI.stat().st_size / (1 << 20)
    rows = [
        "| what | file | conversation | at its prompt | at its peak | after an answer | that beyond file and conversation |",
        "|---|---|---|---|---|---|---|",
        f"| `amauta models try` | {size:.0f} MB | | | {tried.peak_mb:.0f} MB | | |",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, model in (("the library", None), ("the mini", MINI), ("a model of 0.3B", random_model(folder))):
            rows.append(_row(f"the app, question answered by {what}", model, folder, first))
    return "\n".join(rows)


def _row(name: str, model: Path | None, folder: Path, first: dict[str, str]) -> str:
    environment = home_of_rosa(first)
    here = install_model(Path(environment["AMAUTA_HOME"]), model, folder) if model else None
    with opened(AMAUTA, environment) as (app, _):
        drained(app, 2)
        before = memory_mb(app.pid)["VmRSS"]
        ask(app, QUESTION)
        drained(app, 1)
        found = memory_mb(app.pid)
        if here is not None and not maps(app.pid, here):
            raise SystemExit(f"{name}: the model was not asked")
    size = here.stat().st_size / (1 << 20) if here else 0.0
    talk = token_bytes(read_head(here)) * min(CONTEXT_TOKENS, read_head(here).context) / (1 << 20) if here else 0.0
    rest, peak = found["VmRSS"], found["VmHWM"]
    return (
        f"| {name} | {size:.0f} MB | {talk:.0f} MB | {before:.0f} MB | {peak:.0f} MB | {rest:.0f} MB"
        f" | {rest - size - talk:.0f} MB (at its peak {peak - size - talk:.0f}) |"
    )
