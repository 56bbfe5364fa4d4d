"""A language model through onnxruntime against llama.cpp: the same weights in the same bits, tokens a second read and written.

Q8_0 and Q4_0 files of the mini and of random Llamas; the ONNX file holds exactly their blocks. Each run is a process of
its own, by turns; of each the best run counts, with one thread by the processor's own time, so that other programs count
less, with two by the clock. The ratio is ONNX to GGUF: above 1 ONNX is faster.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quantize_speed import SMALL
from benchmarks.shaped import ROOT, Size, write_random

MINI = ROOT / "edge" / "models" / "mini" / "mini.gguf"
LARGE = Size(layers=22, hidden=1024, feed_forward=4096, vocabulary=32_000)
FORMS = {"Q8_0": (7, "int8"), "Q4_0": (2, "int4")}
"""Number of llama.cpp's file type, and what the ONNX file is called. The vocabulary's tables are Q8_0 in both."""

Q8_0 = 8

READ, TIMES, WRITE, ROUNDS = 128, 3, 32, 3
DEEP = 400

RUN = """
import json, random, sys, time
from pathlib import Path
began = time.perf_counter()
if sys.argv[1].endswith(".gguf"):
    from edge.tutor.llama import LlamaEngine as Engine
else:
    from edge.onnx.decoder import OnnxEngine as Engine
engine = Engine.open(Path(sys.argv[1]), threads=int(sys.argv[2]), context_tokens=512)
loaded = time.perf_counter() - began
clock = time.process_time if sys.argv[2] == "1" else time.perf_counter
def read_seconds(engine, tokens):
    began = clock()
    for _ in engine.scores_of(tokens, start=len(tokens) - 1):
        pass
    return clock() - began
chance = random.Random(1)
tokens = [chance.randrange(3, 8000) for _ in range(1000)]
read_seconds(engine, tokens[600:632])
read = min(read_seconds(engine, tokens[n:n + {read}]) for n in range({times}))
times = []
for end in range(64, 64 + {write}):
    times.append(read_seconds(engine, tokens[2:end]))
times = sorted(times[1:])
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([{read} / read, 1 / times[len(times) // 4], peak / 1024, loaded]))
"""


def run(sizes: str = "mini,64M,0.4B") -> str:
    """Return the table."""
    rows = [
        "| model | bits | threads | GGUF reads | ONNX | ratio | GGUF writes | ONNX | ratio | peak MB | ONNX | opens s | ONNX |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in sizes.split(","):
            for bits in FORMS:
                pair = _pair(Path(folder), name, bits)
                rows += [_row(name, bits, threads, pair) for threads in (1, 2)]
                for path in pair:
                    path.unlink()
        said = _beside_optimum(Path(folder)) if "mini" in sizes else ""
    return "\n".join(rows) + said


def _beside_optimum(folder: Path) -> str:
    """Return how long a token of the mini takes in the graph that optimum exports, int8 too, against ours."""
    from edge.onnx.decoder import OnnxEngine
    from edge.onnx.session import open_session
    from quantize.lm.revive import revive
    from quantize.onnx.decoder import write_decoder
    from quantize.onnx.export import export
    from quantize.onnx.shrink import quantize

    revive(MINI, folder / "checkpoint")
    export(folder / "checkpoint", "text-generation-with-past", folder / "fp32")
    quantize(folder / "fp32", "int8", folder / "int8")
    write_decoder(MINI, folder / "mini.onnx", "int8")
    theirs = open_session(folder / "int8" / "model.onnx", 1)
    shapes = {e.name: (1, e.shape[1], DEEP, e.shape[3]) for e in theirs.get_inputs() if e.name.startswith("past")}
    given: dict[str, Any] = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}
    given |= {"input_ids": np.array([[7]]), "attention_mask": np.ones((1, DEEP + 1), dtype=np.int64)}
    given |= {"position_ids": np.array([[DEEP]])}
    least = [float("inf")] * 2
    with OnnxEngine.open(folder / "mini.onnx", threads=1) as ours:
        tokens = [*range(10, 10 + DEEP), 7]
        for _ in range(40):
            began = time.process_time()
            theirs.run(None, given)
            between = time.process_time()
            list(ours.scores_of(tokens, start=DEEP))
            least = [min(least[0], between - began), min(least[1], time.process_time() - between)]
    return (
        f"\n\nThe mini, a token after {DEEP}: {1000 * least[0]:.1f} ms of the processor in the graph that optimum exports (int8),"
        f" {1000 * least[1]:.1f} ms in ours: {least[0] / least[1]:.1f}x."
    )


def _pair(folder: Path, name: str, bits: str) -> tuple[Path, Path]:
    """Write a model as GGUF in these bits, and as ONNX with the same weights."""
    from edge.tutor.llama_library import load_library
    from quantize.onnx.decoder import write_decoder

    model, plain = folder / "model.gguf", MINI
    file_type, form = FORMS[bits]
    if name != "mini":
        plain = folder / "plain.gguf"
        write_random(plain, {"64M": SMALL, "0.4B": LARGE}[name])
    api = load_library().api
    params = api.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.pure, params.allow_requantize = 2, file_type, True, True
    params.output_tensor_type = params.token_embedding_type = Q8_0
    if api.llama_model_quantize(os.fsencode(plain), os.fsencode(model), ctypes.byref(params)) != 0:
        raise SystemExit("the model could not be quantized")
    if plain != MINI:
        plain.unlink()
    write_decoder(model, folder / "model.onnx", form)
    return model, folder / "model.onnx"


def _row(name: str, bits: str, threads: int, pair: tuple[Path, Path]) -> str:
    found: list[list[list[float]]] = [[], []]
    for _ in range(ROUNDS):
        for place, path in enumerate(pair):
            found[place].append(_one(path, threads))
    best = (max, max, min, min)
    ours = [[pick(column) for pick, column in zip(best, zip(*runs, strict=True), strict=True)] for runs in found]
    (read, write, peak, opens), (onnx_read, onnx_write, onnx_peak, onnx_opens) = ours
    return (
        f"| {name} | {bits} | {threads} | {read:.0f} | {onnx_read:.0f} | {onnx_read / read:.2f}"
        f" | {write:.1f} | {onnx_write:.1f} | {onnx_write / write:.2f} | {peak:.0f} | {onnx_peak:.0f}"
        f" | {opens:.2f} | {onnx_opens:.2f} |"
    )


def _one(path: Path, threads: int) -> list[float]:
    script = RUN.replace("{read}", str(READ)).replace("{write}", str(WRITE)).replace("{times}", str(TIMES))
    command = [sys.executable, "-c", script, str(path), str(threads)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.stdout.write(f"{run(*sys.argv[1:2])}\n")
