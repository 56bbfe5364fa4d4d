"""The frozen app: its size and what it carries, and its start beside the unfrozen one in the same run."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import tarfile
from collections import Counter
from functools import partial
from pathlib import Path

from benchmarks.app_start import _add_learner, _until_prompt
from benchmarks.processes import AMAUTA, ROOT, home_with_index, in_turn, timed

RUNS = 5
PARTS = 14
QUESTION = "¿Cómo se alimentan las plantas?"
STARTS = (
    ("--version",),
    ("ask", QUESTION, "--json"),
    ("speak", "Hola", "--out", os.devnull),
    ("models", "try", "Hola", "--max-tokens", "4"),
)
MEGABYTE = 1e6


def frozen_folder() -> Path | None:
    """Return the folder to measure: AMAUTA_FROZEN, or the newest one in build/freeze."""
    if named := os.environ.get("AMAUTA_FROZEN"):
        return Path(named)
    found = [path.parent for path in (ROOT / "build" / "freeze").glob("amauta-*-linux-*/build.json")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def run() -> str:
    """Return the tables."""
    folder = frozen_folder()
    if folder is None:
        return "No frozen app: make one with `amauta-kit freeze`."
    return f"{_starts(folder)}\n\n{_sizes(folder)}\n\n{_parts(folder)}"


def _starts(folder: Path) -> str:
    # Each its own home: the unfrozen one has made its index, the frozen one brings its own.
    commands = {"plain": AMAUTA, "frozen": [str(folder.absolute() / "amauta")]}
    homes = {name: _home(command) for name, command in commands.items()}
    rows = ["| start | unfrozen | frozen | times |", "|---|---|---|---|"]
    for arguments in STARTS:
        plain, frozen = in_turn(
            RUNS, *(partial(timed, [*commands[name], *arguments], homes[name]) for name in ("plain", "frozen"))
        )
        rows.append(_row(f"`amauta {arguments[0]}`", plain.whole, frozen.whole))
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            times[name].append(_until_prompt(command, homes[name]))
    rows.append(_row("`amauta` to its prompt", *(statistics.median(times[name]) for name in ("plain", "frozen"))))
    return "\n".join(rows) + f"\n\nMedians of {RUNS}, in turn."


def _home(command: list[str]) -> dict[str, str]:
    """Return an environment with a home in which this very program has an index and knows a learner."""
    environment = home_with_index()
    subprocess.run([*command, "ask", "hola"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    Path(environment["AMAUTA_HOME"], "settings.toml").write_text('lang = "es"\n', encoding="utf-8")
    _add_learner(environment)
    return environment


def _row(name: str, plain: float, frozen: float) -> str:
    return f"| {name} | {plain:.2f} s | {frozen:.2f} s | {frozen / plain:.2f} |"


def _sizes(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    pack = folder.with_name(f"{folder.name}.zip")
    packed = f"{pack.stat().st_size / MEGABYTE:.1f} MB" if pack.is_file() else "-"
    whole = sum(path.stat().st_size for path in files) / MEGABYTE
    return (
        "| frozen app | size |\n|---|---|\n"
        f"| folder, {len(files)} files | {whole:.1f} MB |\n| zip | {packed} |\n| tar.zst | {_zstd(folder) / MEGABYTE:.1f} MB |"
    )


def _zstd(folder: Path) -> int:
    """Return the size of the folder as a tar, compressed like an image or an update would."""
    import zstandard

    count = io.BytesIO()
    with (
        zstandard.ZstdCompressor(level=15, threads=-1).stream_writer(count, closefd=False) as sink,
        tarfile.open(fileobj=sink, mode="w|") as tar,
    ):
        tar.add(folder, folder.name)
    return count.tell()


def _parts(folder: Path) -> str:
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            names = path.relative_to(folder).parts
            sizes["/".join(names[:2] if names[0] == "_internal" else names[:1])] += path.stat().st_size
    rows = [f"| {name} | {size / MEGABYTE:.1f} MB |" for name, size in sizes.most_common(PARTS)]
    return "\n".join(["| carried | size |", "|---|---|", *rows])
