"""The frozen app: its size and what it carries, and its start beside the unfrozen one in the same run."""

from __future__ import annotations

import io
import os
import statistics
import tarfile
from collections import Counter
from functools import partial
from pathlib import Path

from benchmarks.app_start import _add_learner, _until_prompt
from benchmarks.processes import AMAUTA, ROOT, home_with_index, in_turn, timed

RUNS = 7
PROMPTS = 5
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
    environment = home_with_index()
    frozen = [str(folder / "amauta")]
    rows = ["| start | unfrozen | frozen | times |", "|---|---|---|---|"]
    for arguments in STARTS:
        plain, cold = (partial(timed, [*command, *arguments], environment) for command in (AMAUTA, frozen))
        ours, theirs = in_turn(RUNS, cold, plain)
        rows.append(_row(f"`amauta {arguments[0]}`", theirs.whole, ours.whole))
    rows.append(_row("`amauta` to its prompt", *_prompts(frozen, environment)))
    return "\n".join(rows) + f"\n\nMedians of {RUNS} ({PROMPTS} for the prompt), in turn."


def _prompts(frozen: list[str], environment: dict[str, str]) -> tuple[float, float]:
    Path(environment["AMAUTA_HOME"], "settings.toml").write_text('lang = "es"\n', encoding="utf-8")
    _add_learner(environment)
    times: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(PROMPTS):
        for number, command in enumerate((AMAUTA, frozen)):
            times[number].append(_until_prompt(command, environment))
    return statistics.median(times[0]), statistics.median(times[1])


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
