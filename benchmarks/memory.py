"""Peak memory with the mini model loaded and answering, against the size of its file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from benchmarks.processes import AMAUTA, home_with_index, timed


def run() -> str:
    """Return the table."""
    environment = home_with_index()
    model = Path(str(files("edge") / "models" / "mini" / "mini.gguf"))
    size = model.stat().st_size / (1 << 20)
    tried = timed([*AMAUTA, "models", "try", "¿Qué es una planta?", "--max-tokens", "40"], environment)
    return (
        "| what | peak memory | times the file |\n|---|---|---|\n"
        f"| `amauta models try` ({size:.1f} MB file) | {tried.peak_mb:.0f} MB | {tried.peak_mb / size:.0f} |"
    )
