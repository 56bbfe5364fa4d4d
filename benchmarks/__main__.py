"""Run every measurement and write docs/benchmarks.md. `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

NAMES = (
    "pupil_questions",
    "ask_speed",
    "app_start",
    "memory",
    "stopping",
    "engine",
    "guessing",
    "portions",
    "lessons_ahead",
    "soak",
    "kld_at_bytes",
    "quantize_speed",
    "onnx_encoder",
    "onnx_reader",
    "onnx_decoder",
    "reference",
    "reader",
    "trust",
    "update_bytes",
    "stick_write",
    "frozen_app",
    "sync_scale",
    "courier",
    "hub_ingest",
    "hub_reports",
    "scale_year",
    "classroom",
    "browsers",
    "clinic_tables",
    "guard",
    "patient_questions",
    "guideline_questions",
)
TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(names: list[str]) -> None:
    """Run the named measurements, or all; with all, keep the page."""
    parts = []
    for name in names or NAMES:
        sys.stderr.write(f"{name} ...\n")
        module = importlib.import_module(f"benchmarks.{name}")
        parts.append(
            f"## {name}\n\n{module.__doc__.splitlines()[0]}\n\n`python -m benchmarks {name}`\n\n{module.run()}\n"
        )
        sys.stdout.write(f"{parts[-1]}\n")
    if not names:
        TARGET.write_text(f"{HEAD.format(machine=machine())}\n{chr(10).join(parts)}", encoding="utf-8")


HEAD = """# Benchmarks

Made by `make bench`; a line is a ratio against a peer of the same run wherever time is measured, since machines differ.
This page: {machine}.
"""


def machine() -> str:
    """Say in words what machine this is."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = lines[0] if lines else model
    return (
        f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
