"""The engine beside llama.cpp's own programs on the same file and the same kernels: one pupil, eight, thirty, a lesson.

A Llama of random weights (0.3 B, Q4_K_M), so speed only; runs by turns, medians. `python -m benchmarks.llama_programs`
compiles the programs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from benchmarks import llama_programs, llama_server
from benchmarks.shaped import ROOT, random_model
from edge.library.library import Library
from edge.llama.vocabulary import Vocabulary
from edge.settings import Settings
from edge.shared.client import SharedEngine
from edge.tutor.engine import Message
from edge.tutor.reader import Reader
from edge.tutor.reply import Reply
from edge.tutor.turn import Tutor

READ, WRITE, ROUNDS = 512, 128, 9
PUPILS = ROOT / "tests" / "data" / "pupil_questions.toml"
SEATS, ANSWER, CLASS_ROUNDS = (8, 30), 32, {8: 7, 30: 3}
LESSON_ROUNDS = 3
LESSON_LETTERS, SHARED_LETTERS, QUESTION_LETTERS = 3300, 1100, 200

PACE = """
import json, random, sys, time
from pathlib import Path
from edge.tutor.llama import LlamaEngine
engine = LlamaEngine.open(Path(sys.argv[1]), threads=int(sys.argv[2]))
chance = random.Random(1)
tokens = [chance.randrange(8, 8000) for _ in range({read})]
reading = engine._reading
reading.read(tokens)
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
import json, sys, time
began = time.perf_counter()
from pathlib import Path
from edge.tutor.llama import LlamaEngine
lesson, folder = Path(sys.argv[2]).read_text(), Path(sys.argv[3])
engine = LlamaEngine.open(Path(sys.argv[1]), threads=2)
engine.keep_beginnings(folder, "benchmark")

def first(question):
    began = time.perf_counter()
    messages = [{"role": "user", "content": f"{lesson}\\n{question}", "stable": len(lesson)}]
    next(engine.stream(messages, max_tokens=1))
    return time.perf_counter() - began

first("¿Qué es lo más importante?")
fresh = time.perf_counter() - began
warm = first("¿Por qué es así?")
engine.close()
print(json.dumps([fresh, warm]))
"""

ENGINE_RUN = """
import sys, threading
from pathlib import Path
from edge.shared.server import serve
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), lambda port: print("ready", flush=True), stopped)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def run() -> str:
    """Return the table."""
    programs = llama_programs.ensure()
    rows = ["| what | ours | llama.cpp | ratio |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(Path(folder))
        for threads in (1, 2):
            rows += _pace(model, threads, programs["llama-bench"])
        words = _words(model)
        for seats in SEATS:
            rows += _class(model, seats, words, Path(folder))
        rows.append(_bank(model, min(SEATS), Path(folder)))
        rows += _lesson(model, words, Path(folder))
    return "\n".join(rows)


def _ours(script: str, *args: object) -> list[float]:
    script = script.replace("{read}", str(READ)).replace("{write}", str(WRITE))
    command = [sys.executable, "-c", script, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _bench(bench: Path, model: Path, threads: int) -> list[float]:
    """Return llama-bench's tokens a second, reading and writing."""
    command = [
        str(bench),
        "-m",
        str(model),
        "-t",
        str(threads),
        "-p",
        str(READ),
        "-n",
        str(WRITE),
        "-r",
        "1",
        "-o",
        "json",
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(llama_programs.libraries())}
    where = llama_programs.backends()
    done = subprocess.run(command, env=environment, cwd=where, check=True, capture_output=True, text=True)
    return [float(each["avg_ts"]) for each in json.loads(done.stdout)]


def _pace(model: Path, threads: int, bench: Path) -> list[str]:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_ours(PACE, model, threads))
        theirs.append(_bench(bench, model, threads))
    return [
        _row(
            f"{name}, {threads} threads, tokens/s; llama-bench", [run[at] for run in ours], [run[at] for run in theirs]
        )
        for at, name in enumerate((f"reading pp{READ}", f"writing tg{WRITE}"))
    ]


def _row(name: str, ours: Sequence[float], theirs: Sequence[float]) -> str:
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return f"| {name} | {median(ours):.2f} | {median(theirs):.2f} | {ratio:.2f} |"


def _words(model: Path) -> Vocabulary:
    from edge.llama.loading import load_model

    library, loaded, _ = load_model(model)
    return Vocabulary(library.api, loaded, "random")


def _text(at: int, letters: int) -> str:
    """Return so many letters of the lessons that ship."""
    from edge.library.folder import EMBEDDED, read_pack

    whole = " ".join(lesson.text for folder in sorted(EMBEDDED.iterdir()) for lesson in read_pack(folder)[0].lessons)
    return whole[at : at + letters]


@contextmanager
def _engine(model: Path, seats: int, home: Path, peaks: list[float], *, gives_way: bool = False) -> Iterator[None]:
    """Run the engine of a class; add its peak memory in MB to `peaks` at the end."""
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-c", ENGINE_RUN, str(model), str(seats), str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    if gives_way:
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise SystemExit("the engine did not start")
    yield
    said, _ = process.communicate("")
    peaks.append(int(said.split()[-1]) / 1024)


def _class(model: Path, seats: int, words: Vocabulary, folder: Path) -> list[str]:
    """Ask from so many seats at once, with nothing in common and, where they are few, with a lesson in common."""
    shared = _text(0, SHARED_LETTERS)
    beginnings = {"nothing in common": ""}
    if seats == min(SEATS):
        beginnings[f"a lesson of {len(words.tokens_of(shared))} tokens in common"] = shared
    rows: list[str] = []
    peaks: list[float] = []
    for name, beginning in beginnings.items():
        asked = [beginning + _text(5000 + number * QUESTION_LETTERS, QUESTION_LETTERS) for number in range(seats)]
        messages: list[list[Message]] = [[{"role": "user", "content": each}] for each in asked]
        tokens = [words.tokens_of(words.prompt_of(each), special=True) for each in messages]
        ours, theirs = [], []
        for _ in range(CLASS_ROUNDS[seats]):
            with _engine(model, seats, folder / "class", peaks), ThreadPoolExecutor(seats) as pupils:
                ours.append(_speed(list(pupils.map(lambda each: _asked(folder / "class", each), enumerate(messages)))))
            context = sum(map(len, tokens)) + seats * (ANSWER + 8)
            with llama_server.running(model, seats, context) as port, ThreadPoolExecutor(seats) as pupils:
                theirs.append(_speed(list(pupils.map(lambda each: _served(port, each), tokens))))
        each = round(sum(map(len, tokens)) / seats)
        name = f"{seats} pupils at once, {each} tokens asked and {ANSWER} written each, {name}, tokens/s"
        rows.append(_row(name, ours, theirs))
    memory = f"peak memory of the engine for {seats}, MB (the file has {model.stat().st_size >> 20})"
    return [*rows, f"| {memory} | {max(peaks):.0f} | | |"]


def _bank(model: Path, seats: int, folder: Path) -> str:
    """Ask what the library answers, while every seat of the engine, which gives way as in a class, is writing."""
    home, stopped, firsts = folder / "class", threading.Event(), []
    settings = Settings(folder / "own", lang="es")
    questions = [row["question"] for row in tomllib.loads(PUPILS.read_text())["answered"] if row["lang"] == "es"]

    def write(number: int) -> None:
        while not stopped.is_set():
            asked: list[Message] = [{"role": "user", "content": _text(number * QUESTION_LETTERS, QUESTION_LETTERS)}]
            for _ in SharedEngine(home, str(number)).stream(asked, max_tokens=400, stop=stopped.is_set):
                pass

    with closing(Library.open(settings)) as library, _engine(model, seats, home, [], gives_way=True):
        tutor = Tutor(library, Reader.open, lambda: None)
        pupils = [threading.Thread(target=write, args=(number,)) for number in range(seats)]
        for pupil in pupils:
            pupil.start()
        for question in [questions[0], *questions * 2]:
            *_, reply = tutor.answer(question, lang="es")
            if isinstance(reply, Reply) and reply.mode in ("bank", "passage"):
                firsts.append(reply.first_piece_ms)
            sleep(0.2)
        stopped.set()
        for pupil in pupils:
            pupil.join()
    ordered = sorted(firsts[1:])
    name = f"answers of the library while {seats} seats write: first piece, median and 95th percentile of {len(ordered)}, ms"
    return f"| {name} | {median(ordered):.0f}, {ordered[int(0.95 * len(ordered))]:.0f} | | |"


def _speed(times: Sequence[tuple[float, float]]) -> float:
    """Return tokens a second from when the first asked until the last was answered."""
    return len(times) * ANSWER / (max(end for _, end in times) - min(begin for begin, _ in times))


def _asked(home: Path, numbered: tuple[int, list[Message]]) -> tuple[float, float]:
    began = perf_counter()
    for _ in SharedEngine(home, str(numbered[0])).stream(numbered[1], max_tokens=ANSWER, stop=lambda: False):
        pass
    return began, perf_counter()


def _served(port: int, tokens: Sequence[int]) -> tuple[float, float]:
    began = perf_counter()
    if llama_server.ask(port, tokens, ANSWER) != ANSWER:
        raise SystemExit("llama-server answered less than was asked")
    return began, perf_counter()


def _lesson(model: Path, words: Vocabulary, folder: Path) -> list[str]:
    lesson = folder / "lesson.txt"
    lesson.write_text(_text(0, LESSON_LETTERS))
    questions = [f"{lesson.read_text()}\n{each}" for each in ("¿Qué es lo más importante?", "¿Por qué es así?")]
    prompts = [
        words.tokens_of(words.prompt_of([{"role": "user", "content": each}]), special=True) for each in questions
    ]
    _ours(LESSON_RUN, model, lesson, folder / "kept")
    fresh, warm, their_fresh, their_warm = [], [], [], []
    for _ in range(LESSON_ROUNDS):
        mine = _ours(LESSON_RUN, model, lesson, folder / "kept")
        fresh.append(mine[0])
        warm.append(mine[1])
        began = perf_counter()
        with llama_server.running(model, 1, 2048) as port:
            llama_server.first_piece(port, prompts[0])
            their_fresh.append(perf_counter() - began)
            their_warm.append(llama_server.first_piece(port, prompts[1]))
    name = f"first token after a {len(prompts[0])}-token lesson, s"
    return [
        _row(f"{name}: from a fresh start, both", fresh, their_fresh),
        _row(f"{name}: ours open, llama-server's fresh start", warm, their_fresh),
        _row(f"{name}: both open, the second question", warm, their_warm),
    ]
