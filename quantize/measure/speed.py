"""How fast a model reads and writes and how much memory it takes: in a process of its own, which alone is measured.

    python -m quantize.measure.speed MODEL THREADS      prints JSON

The figures belong to the machine and the hour they were taken on; the best of three
rounds counts, for other programs can only slow a round down.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.gauge.pace import TEXT, read_seconds
from edge.llama.brake import never
from edge.onnx.opening import Loaded, open_engine
from edge.tutor.engine import Message
from quantize.recipe import ROOT, RecipeError

ROUNDS, READ_TOKENS, WRITE_TOKENS, QUESTION_TOKENS = 3, 256, 48, 64


def measure(model: Path, threads: int) -> dict[str, float]:
    """Return the figures of `model` with `threads` threads, taken in a process of its own."""
    command = [sys.executable, "-m", __name__, str(model.resolve()), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    try:
        found: dict[str, float] = json.loads(done.stdout)
    except ValueError as error:
        last = (done.stderr.strip().splitlines() or [str(done.returncode)])[-1]
        raise RecipeError("measure-speed", path=model, reason=last[:200]) from error
    return found


def figures(model: Path, threads: int) -> dict[str, float]:
    """Take the figures in this process, which has done nothing else."""
    began = time.perf_counter()
    with open_engine(model, threads=threads) as engine:
        loaded = time.perf_counter() - began
        rounds = [_round(engine, number) for number in range(ROUNDS)]
    read, write, first = (list(column) for column in zip(*rounds, strict=True))
    size = model.stat().st_size
    return {
        "threads": threads,
        "load_ms": round(1000 * loaded, 1),
        "read_tokens_per_second": round(max(read), 2),
        "write_tokens_per_second": round(max(write), 2),
        "first_token_ms": round(1000 * min(first), 1),
        "gigabytes_per_second": round(max(write) * size / 1e9, 3),
    } | _peak()


def _round(engine: Loaded, number: int) -> tuple[float, float, float]:
    """Return tokens a second read and written, and the seconds to the first token of an answer."""
    room = engine.context_tokens
    text = engine.tokens_of(f"{number} {TEXT * 40}")
    reading = text[: min(READ_TOKENS, room)]
    read = len(reading) / _seconds(engine, reading, [len(reading)])
    begun = min(QUESTION_TOKENS, room // 2)
    _seconds(engine, text, [begun])
    writing = range(begun + 1, min(begun + 1 + WRITE_TOKENS, room, len(text)))
    write = len(writing) / _seconds(engine, text, writing)
    question = engine.bytes_of(text[: min(QUESTION_TOKENS, room // 4)]).decode("utf-8", "replace")
    asked: list[Message] = [{"role": "user", "content": f"{number}. {question}"}]
    began = time.perf_counter()
    next(engine.stream(asked, max_tokens=1, stop=never), "")
    return read, write, time.perf_counter() - began


def _seconds(engine: Loaded, tokens: Sequence[int], ends: Iterable[int]) -> float:
    """Return how long it takes to read up to each of `ends` in turn and score what follows; only what is new is read."""
    return sum(read_seconds(engine, tokens[:end]) for end in ends)


def _peak() -> dict[str, float]:
    """Return the most memory this process ever had, in units of 2^20 bytes; nothing where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_mb": round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)}


def main(argv: Sequence[str]) -> int:
    """Print the figures of the model named on the command line."""
    sys.stdout.write(f"{json.dumps(figures(Path(argv[0]), int(argv[1])))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
