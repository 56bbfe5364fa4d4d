"""The engine beside llama.cpp's own programs on the same file and the same kernels: one pupil, eight, thirty.

A Llama of random weights (0.4B, Q4_K), so speed only; runs by turns, medians. `python -m benchmarks.llama_programs`
compiles the programs. Each of our runs is a process of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import llama_programs
from benchmarks.quantize_speed import ROOT, Size, write_random

MODEL = Size(layers=22, hidden=1024, feed_forward=4096, vocabulary=32_000)
READ, WRITE, ROUNDS = 512, 128, 3
SEATS, QUESTION, ANSWER = (8, 30), 64, 32
LESSON = 1000

PACE = """
import json, random, sys, time
from pathlib import Path
from edge.tutor.llama import LlamaEngine
engine = LlamaEngine.open(Path(sys.argv[1]), threads=int(sys.argv[2]))
chance = random.Random(1)
tokens = [chance.randrange(3, 32000) for _ in range({read})]
reading = engine._reading
reading.read(tokens[:8])
reading.forget()
began = time.perf_counter()
reading.read(tokens)
read = time.perf_counter() - began
reading.forget()
reading.read(tokens[:1])
began = time.perf_counter()
for number in range({write}):
    token = int(reading.scores().argmax())
    reading.read([token])
print(json.dumps([{read} / read, {write} / (time.perf_counter() - began)]))
"""

LESSON_RUN = """
import json, random, sys, time
began = time.perf_counter()
from pathlib import Path
from edge.llama.beginnings import Beginnings
from edge.tutor.llama import LlamaEngine
engine = LlamaEngine.open(Path(sys.argv[1]), threads=2)
if sys.argv[2] == "kept":
    engine.beginnings = Beginnings(Path(sys.argv[3]), "benchmark")
chance = random.Random(2)
lesson = [chance.randrange(3, 32000) for _ in range({lesson})]
engine._begin(lesson, lambda: False)
engine._reading.read([chance.randrange(3, 32000) for _ in range(20)])
engine._reading.scores().argmax()
fresh = time.perf_counter() - began
began = time.perf_counter()
engine._reading.cut({lesson})
engine._reading.read([chance.randrange(3, 32000) for _ in range(20)])
engine._reading.scores().argmax()
warm = time.perf_counter() - began
if engine.beginnings:
    engine.beginnings.keep(engine._reading, {lesson})
print(json.dumps([fresh, warm]))
"""

CLASS_RUN = """
import json, random, sys, time
from pathlib import Path
from edge.shared.desk import Desk, Request
from edge.shared.room import opened
seats = int(sys.argv[2])
chance = random.Random(3)
with opened(Path(sys.argv[1]), seats) as room:
    desk = Desk(room.sequences, seats, lambda token: False)
    heard = []
    for number in range(seats):
        tokens = [chance.randrange(3, 32000) for _ in range({question})]
        desk.ask(Request(str(number), tokens, {answer}, lambda event: heard.append(time.perf_counter()) if "token" in event else None))
    began = time.perf_counter()
    while desk.round():
        pass
    print(json.dumps([len(heard) / (time.perf_counter() - began), len(heard)]))
"""


def run() -> str:
    """Return the table."""
    programs = llama_programs.ensure()
    rows = ["| what | ours | llama.cpp | ratio |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        model = _model(Path(folder))
        for threads in (1, 2):
            rows += _pace(model, threads, programs["llama-bench"])
        for seats in SEATS:
            rows.append(_class(model, seats, programs["llama-batched-bench"]))
        rows += _lesson(model, Path(folder) / "kept")
    return "\n".join(rows)


def _model(folder: Path) -> Path:
    """Write the model, quantized by llama.cpp's own routine."""
    from edge.tutor.llama_library import load_library

    api = load_library().api
    plain, model = folder / "plain.gguf", folder / "model.gguf"
    write_random(plain, MODEL)
    params = api.llama_model_quantize_default_params()
    params.nthread, params.ftype = 2, 15
    if api.llama_model_quantize(os.fsencode(plain), os.fsencode(model), ctypes.byref(params)) != 0:
        raise SystemExit("the model could not be quantized")
    plain.unlink()
    return model


def _ours(script: str, *args: object, **values: int) -> list[float]:
    for name, value in values.items():
        script = script.replace(f"{{{name}}}", str(value))
    command = [sys.executable, "-c", script, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _theirs(program: Path, *args: object) -> str:
    command = [str(program), *map(str, args)]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(llama_programs.libraries())}
    where = llama_programs.backends()
    done = subprocess.run(command, env=environment, cwd=where, check=True, capture_output=True, text=True)
    return done.stdout


def _pace(model: Path, threads: int, bench: Path) -> list[str]:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_ours(PACE, model, threads, read=READ, write=WRITE))
        said = json.loads(_theirs(bench, "-m", model, "-t", threads, "-p", READ, "-n", WRITE, "-r", 1, "-o", "json"))
        theirs.append([each["avg_ts"] for each in said])
    rows = []
    for place, name in enumerate((f"reading pp{READ}", f"writing tg{WRITE}")):
        mine, other = (median(each[place] for each in runs) for runs in (ours, theirs))
        rows.append(f"| {name}, {threads} threads, tokens/s | {mine:.1f} | {other:.1f} | {mine / other:.2f} |")
    return rows


def _class(model: Path, seats: int, bench: Path) -> str:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_ours(CLASS_RUN, model, seats, question=QUESTION, answer=ANSWER)[0])
        args = ("-m", model, "-t", 2, "-c", (QUESTION + ANSWER) * seats + 64, "-b", 256, "-ub", 256, "-kvu")
        args = (*args, "-npp", QUESTION, "-ntg", ANSWER, "-npl", seats, "--output-format", "jsonl")
        said = next(line for line in _theirs(bench, *args).splitlines() if line.startswith("{"))
        facts = json.loads(said)
        theirs.append(ANSWER * seats / (facts["t_pp"] + facts["t_tg"]))
    mine, other = median(ours), median(theirs)
    name = f"{seats} pupils, {QUESTION} tokens asked and {ANSWER} written each, tokens/s written"
    return f"| {name} | {mine:.1f} | {other:.1f} | {mine / other:.2f} |"


def _lesson(model: Path, folder: Path) -> list[str]:
    _ours(LESSON_RUN, model, "kept", folder, lesson=LESSON)
    read, kept, warm = [], [], []
    for _ in range(ROUNDS):
        read.append(_ours(LESSON_RUN, model, "read", folder, lesson=LESSON)[0])
        fresh, again = _ours(LESSON_RUN, model, "kept", folder, lesson=LESSON)
        kept.append(fresh)
        warm.append(again)
    plain = median(read)
    name = f"first token after a {LESSON}-token lesson, seconds from the start of the program"
    return [
        f"| {name}: kept on disk against read | {median(kept):.2f} | {plain:.2f} | {median(kept) / plain:.2f} |",
        f"| the same, program open and lesson in memory | {median(warm):.2f} | {plain:.2f} | {median(warm) / plain:.2f} |",
    ]
