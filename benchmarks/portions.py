"""Whether the scores of a model depend on how many tokens of a question are read at once: the mini, as GGUF and as ONNX.

200 questions with their passages, each read in portions of 128 tokens (32 as ONNX), and again in others; then 24 tokens are
written one by one, without guesses. Counted are the questions whose first scores differ in any bit, and whose text differs.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.guessing import _questions
from benchmarks.shaped import MINI
from edge.onnx.opening import Loaded, open_engine
from edge.tutor.prompt import grounded

PROMPTS, WRITTEN = 200, 24
USUAL = {".gguf": 128, ".onnx": 32}
WAYS: dict[str, Callable[[random.Random, int], int]] = {
    "the same portions again": lambda chance, usual: usual,
    "one by one": lambda chance, usual: 1,
    "by chance, at least 2": lambda chance, usual: chance.randrange(2, usual + 1),
    "by chance, multiples of 16": lambda chance, usual: 16 * chance.randrange(1, usual // 16 + 1),
}


def run(prompts: str = str(PROMPTS)) -> str:
    """Return the table."""
    from quantize.onnx.decoder import write_decoder

    rows = ["| form | read | other scores | largest difference | other text |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        write_decoder(MINI, Path(folder) / "mini.onnx", "int8")
        for path in (MINI, Path(folder) / "mini.onnx"):
            with open_engine(path, threads=1) as engine:
                rows += _rows(engine, path.suffix, int(prompts))
    return "\n".join(rows)


def _rows(engine: Loaded, form: str, prompts: int) -> list[str]:
    chance, usual = random.Random(5), USUAL[form]
    counted = {way: [0, 0.0, 0] for way in WAYS}
    for question, parts, _, lang in _questions()[:prompts]:
        tokens = engine.tokens_of(engine.prompt_of(grounded(question, parts[:1], lang)), special=True)
        scores, text = _read(engine, tokens, lambda: usual)
        for way, size in WAYS.items():
            others, other_text = _read(engine, tokens, lambda size=size: size(chance, usual))  # type: ignore[misc]
            found = counted[way]
            found[0] += bool((others != scores).any())
            found[1] = max(found[1], float(abs(others - scores).max()))
            found[2] += other_text != text
    return [
        f"| {form[1:].upper()} | {way} | {differ:.0f} of {prompts} | {most:.2f} | {texts:.0f} of {prompts} |"
        for way, (differ, most, texts) in counted.items()
    ]


def _read(engine: Loaded, tokens: list[int], size: Callable[[], int]) -> tuple[Any, list[int]]:
    """Read a question anew in portions; return the scores after it, and what is written then."""
    reading: Any = getattr(engine, "_reading", None) or getattr(engine, "_memory", None)
    reading.forget()
    at = 0
    while at < len(tokens):
        part = tokens[at : at + size()]
        reading.read(part)
        at += len(part)
    scores, written = reading.scores().copy(), [int(reading.scores().argmax())]
    while len(written) < WRITTEN and not engine.ends(written[-1]):
        reading.read(written[-1:])
        written.append(int(reading.scores().argmax()))
    return scores, written
