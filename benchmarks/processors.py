"""The same questions on processors of many kinds, emulated: which code is picked, what the mini answers, how far its scores are from here.

Emulated, so nothing is said about speed. Needs qemu-user; for ARM also what docs/engine.md names ("Which processors").
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.cache import cache_folder, llama_folder

ROOT = Path(__file__).parents[1]
MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
QUESTIONS, LONGEST = 12, 40
X86 = ("Nehalem", "SandyBridge", "Haswell")
ARM = ("cortex-a53", "cortex-a76", "max,sve=off", "max")
"""Of a Raspberry Pi 3 (to llama.cpp 4 too) and 5; one with i8mm and without SVE; one with both."""

WRITE = "from benchmarks.processors import write; write()"


@dataclass(frozen=True, slots=True)
class Written:
    """What one processor made of the questions."""

    code: str
    answers: list[str]
    scores: list[list[float]]
    """For each question, of every possible first token."""


def run() -> str:
    """Return the table."""
    asked = json.dumps(questions()).encode()
    here = ask([sys.executable], asked, {})
    rows = [
        f"| processor | code picked | same answers of {QUESTIONS} | same first token | correlation of scores, least | greatest difference, in the scores' own deviations |",
        "|---|---|---:|---:|---:|---:|",
        f"| this machine | {here.code} | | | | |",
    ]
    with arm_python() as (python, environment):
        kinds: list[tuple[str, list[str], Mapping[str, str]]] = []
        if shutil.which("qemu-x86_64"):
            kinds += [(name, ["qemu-x86_64", "-cpu", name, sys.executable], {}) for name in X86]
        if python:
            kinds += [(name, ["qemu-aarch64", "-cpu", name, *python], environment) for name in ARM]
        for name, command, told in kinds:
            rows.append(row(name, here, ask(command, asked, told)))
    return "\n".join(rows)


def questions() -> list[tuple[str, str, str]]:
    """Return questions with a paragraph that answers them and their language, from the packs that ship."""
    from edge.library.folder import EMBEDDED, read_pack

    found = []
    for folder in sorted(EMBEDDED.iterdir()):
        for lesson in read_pack(folder)[0].lessons:
            part = next((part for part in lesson.text.split("\n\n") if len(part) > 40), "")
            found += [(entry.question, part, lesson.lang) for entry in lesson.bank if part]
    return random.Random(1).sample(found, QUESTIONS)


@contextmanager
def arm_python() -> Iterator[tuple[list[str], dict[str, str]]]:
    """Give the rest of a command that runs Python for ARM with llama.cpp, and its environment; nothing where that is not here."""
    root, wheels = cache_folder() / "bare-arm64", sorted(llama_folder("aarch64").glob("*.whl"))
    if not (wheels and (root / "usr/bin/python3").exists() and shutil.which("qemu-aarch64")):
        yield [], {}
        return
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(place)
        yield ["-L", str(root), str(root / "usr/bin/python3")], {"PYTHONPATH": f"{ROOT}:{place}"}


def ask(command: Sequence[str], asked: bytes, told: Mapping[str, str]) -> Written:
    """Run `write` with this Python."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"], **told}
    done = subprocess.run([*command, "-c", WRITE], input=asked, env=environment, stdout=subprocess.PIPE, check=True)
    return Written(**json.loads(done.stdout))


def write() -> None:
    """Answer the questions on standard input; say which code did."""
    from edge.tutor.llama import LlamaEngine
    from edge.tutor.prompt import grounded

    answers, scores = [], []
    with LlamaEngine.open(MINI, threads=1) as engine:
        for question, part, lang in json.load(sys.stdin):
            messages = grounded(question, [part], lang)
            answers.append("".join(engine.stream(messages, max_tokens=LONGEST)))
            tokens = engine.tokens_of(engine.prompt_of(messages), special=True)
            block: Any = next(engine.scores_of(tokens, start=len(tokens) - 1))
            scores.append([round(float(score), 5) for score in block[0]])
    with Path("/proc/self/maps").open(encoding="utf-8") as maps:
        code = next(Path(line.split()[-1]).stem for line in maps if "ggml-cpu-" in line)
    json.dump({"code": code.removeprefix("libggml-cpu-"), "answers": answers, "scores": scores}, sys.stdout)


def row(name: str, here: Written, there: Written) -> str:
    """Compare."""
    import numpy as np

    ours, theirs = np.array(here.scores), np.array(there.scores)
    same = sum(one == other for one, other in zip(here.answers, there.answers, strict=True))
    first = int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
    least = min(np.corrcoef(one, other)[0, 1] for one, other in zip(ours, theirs, strict=True))
    most = (np.abs(ours - theirs).max(axis=1) / ours.std(axis=1)).max()
    return f"| {name} | {there.code} | {same} | {first} | {least:.6f} | {most:.4f} |"
