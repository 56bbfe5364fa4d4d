"""A real lesson, a model of 0.3 B random weights: how much is read before the first word, and how soon that comes, once it was read ahead."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.shaped import random_model
from edge.errors import EdgeError
from edge.library.library import Library
from edge.llama.brake import never
from edge.llama.reading import Reading
from edge.settings import Settings
from edge.tutor.llama import LlamaEngine
from edge.tutor.prompt import Turn, about_lesson, lesson_text

LESSON = "primaria/4-ciencias-ciclo-del-agua"
QUESTIONS = ("¿Qué hace que el agua del mar suba al cielo?", "¿y por qué?")
ROUNDS = 3
SHA256 = "0" * 64


@contextmanager
def counted() -> Iterator[list[int]]:
    """Give a list that gets how many tokens each reading was given."""
    counts: list[int] = []
    plain = Reading.read

    def read(self: Reading, tokens: Sequence[int], *more: object, **named: object) -> bool:
        counts.append(len(tokens))
        return plain(self, tokens, *more, **named)  # type: ignore[arg-type]

    Reading.read = read  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        Reading.read = plain  # type: ignore[method-assign]


def first_word(engine: LlamaEngine, text: str, before: Sequence[Turn], question: str) -> tuple[int, float]:
    """Ask; return how many tokens were read until the first word, and in how many seconds it came."""
    with counted() as counts:
        start = time.perf_counter()
        answer = engine.stream(about_lesson(question, text, before, "es"), max_tokens=8, stop=never)
        next(answer, "")
        seconds = time.perf_counter() - start
        read = sum(counts)
        list(answer)
    return read, seconds


def measure(model: Path, folder: Path, text: str) -> dict[str, tuple[int, float]]:
    """Ask as a first pupil, a second time, after a fresh start, and after the night's work."""
    found: dict[str, tuple[int, float]] = {}

    def opened(kept: str) -> LlamaEngine:
        engine = LlamaEngine.open(model)
        engine.keep_beginnings(folder / kept, SHA256)
        return engine

    with opened("asked") as engine:
        found["the first question about the lesson"] = first_word(engine, text, (), QUESTIONS[0])
        before = (Turn(QUESTIONS[0], "El calor del sol."),)
        found["the second, with the first before it"] = first_word(engine, text, before, QUESTIONS[1])
    with opened("asked") as engine:
        found["the first after a fresh start"] = first_word(engine, text, (), QUESTIONS[0])
    with opened("night") as engine:
        if engine.prepare(about_lesson("?", text, (), "es")) is None:
            raise EdgeError("prepare-disk", path=folder)
    with opened("night") as engine:
        found["the very first, prepared by `amauta prepare`"] = first_word(engine, text, (), QUESTIONS[0])
    return found


def run() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory(prefix="amauta-bench-") as name:
        folder = Path(name)
        library = Library.open(Settings(folder / "home", lang="es"))
        text = lesson_text(library.lesson(LESSON).text)
        library.close()
        model = random_model(folder)
        rounds = [measure(model, folder / str(number), text) for number in range(ROUNDS)]
    median: Callable[[str], float] = lambda case: statistics.median(one[case][1] for one in rounds)  # noqa: E731
    first = median(next(iter(rounds[0])))
    lines = [
        "| question | tokens read before the first word | first word after | of the first |",
        "|---|---:|---:|---:|",
    ]
    for case, (read, _) in rounds[0].items():
        lines.append(f"| {case} | {read} | {median(case):.2f} s | {median(case) / first:.2f} |")
    return "\n".join(lines)
