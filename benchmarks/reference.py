"""What a reference file of the parent tells without the parent, and what reading a window at once saves."""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import numpy as np

from edge.tutor.llama import LlamaEngine
from edge.tutor.llama_library import load_library
from quantize.lm.lessons import lesson_text, read_lessons
from quantize.measure import reference, score, windows
from quantize.measure.windows import HeldText

FORMATS = {"Q6_K": 18, "Q4_K_M": 15, "Q2_K": 10}
TOKENS, WINDOW, TEXTS = 800, 256, 12


def run() -> str:
    """Return the table."""
    mini = Path(str(files("edge") / "models" / "mini" / "mini.gguf"))
    packs = Path(str(files("edge") / "packs"))
    lessons = [lesson for name in ("primaria", "fundamental") for lesson in read_lessons([packs / name])[:TEXTS]]
    texts = [HeldText(le.lang, "text", lesson_text(le).text[:1500], le.id, "CC-BY-SA-4.0") for le in lessons]
    rows = [
        "| file | language | full divergence | from the reference | error | bytes a token |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder, LlamaEngine.open(mini) as parent:
        parts = windows.windows_of(parent, texts, WINDOW, TOKENS)
        saved = _saved(parent, parts[0])
        for name, number in FORMATS.items():
            path = Path(folder) / f"{name}.gguf"
            _quantize(mini, number, path)
            rows += _rows(parent, path, parts, Path(folder) / "reference.npz")
    return (
        "\n".join(rows)
        + f"\n\nScores of {WINDOW} tokens at once take {saved:.2f} of the time of one token after the other."
    )


def _rows(parent: LlamaEngine, path: Path, parts: list[windows.Window], kept: Path) -> list[str]:
    recorder = reference.Recorder(50)
    with LlamaEngine.open(path) as model:
        full = score.compare(parent, model, parts, recorder)
        recorder.write(kept, parts, {"parent": parent.name, "vocabulary": parent.vocabulary_size})
        found = reference.distances(reference.read(kept), model)
    size = kept.stat().st_size / sum(len(row.divergence) for row in full.values())
    return [
        f"| {path.stem} | {lang} | {exact:.6f} | {told:.6f} | {told / exact - 1:+.2%} | {size:.0f} |"
        for lang in full
        for exact, told in [(float(full[lang].divergence.mean()), float(found[lang].divergence.mean()))]
    ]


def _saved(engine: LlamaEngine, window: windows.Window) -> float:
    """Return the time of a window at once, as a part of the time token after token; the better of two each."""
    ways = (lambda: list(engine.scores_of(window.tokens)), lambda: list(engine.logits_of(window.tokens)))
    best = []
    for way in ways:
        times = []
        for _ in range(2):
            began = time.perf_counter()
            np.concatenate([np.atleast_2d(rows) for rows in way()])
            times.append(time.perf_counter() - began)
        best.append(min(times))
    return best[0] / best[1]


def _quantize(source: Path, number: int, output: Path) -> None:
    library = load_library()
    params = library.api.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.allow_requantize = 1, number, True
    library.api.llama_model_quantize(os.fsencode(source), os.fsencode(output), ctypes.byref(params))
