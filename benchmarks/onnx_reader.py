"""The reader on the device: rows padded together as before against rows alone, options of the session, what is kept.

Questions in the manner of pupils, each with six passages that the search finds. Everything by turns in one process;
of each question the quickest of several turns, by the clock and by the processor's own time (other programs count less),
as ratios to the first line.
"""

from __future__ import annotations

import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

QUESTIONS, ROUNDS, PASSAGES = 12, 10, 6
PUPILS = Path(__file__).parents[1] / "tests" / "data" / "pupil_questions.toml"
Row = tuple[Sequence[int], Sequence[int]]
Work = Callable[[list[Row]], object]


def run() -> str:
    """Return the tables."""
    cases = _cases()
    network = Path(str(files("edge").joinpath("models", "reader", "reader.onnx"))).read_bytes()
    rows = [_rows(question, passages) for question, passages in cases]
    lengths = [len(ids) for each in rows for ids, _ in each]
    padded = sum(max(len(ids) for ids, _ in each) * len(each) for each in rows) / sum(lengths) - 1
    head = (
        f"{len(lengths)} rows of {min(lengths)} to {max(lengths)} pieces; one batch a question is {padded:.0%} padding."
    )
    parts = [head, _by_turns(_ways(network), rows), _by_turns(_options(network), rows), _whole(cases), _start(network)]
    return "\n\n".join(parts)


def _cases() -> list[tuple[str, list[str]]]:
    """Return questions with the passages that the search finds."""
    from edge.library.library import Library
    from edge.settings import Settings

    rows = tomllib.loads(PUPILS.read_text(encoding="utf-8"))["answered"][:QUESTIONS]
    with tempfile.TemporaryDirectory() as home:
        library = Library.open(Settings(Path(home), lang="es"))
        asked = [library.understand(row["question"], row["lang"]) for row in rows]
        found = [(each.text, [passage.text for passage in library.passages(each, PASSAGES)]) for each in asked]
        library.close()
    return [(question, passages) for question, passages in found if passages]


def _rows(question: str, passages: Sequence[str]) -> list[Row]:
    from edge.tutor.encoding import lay_out, sequences, understand

    words = _vocabulary()
    asked = understand(question, words)
    return [(row.ids, row.kinds) for text in passages for row in sequences(lay_out(asked, text, words))]


def _vocabulary() -> Any:
    from edge.tutor.encoding import parse_vocabulary

    return parse_vocabulary(files("edge").joinpath("models", "reader", "vocabulary.json").read_bytes())


def _session(network: bytes, threads: int, **changes: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    for name, value in changes.items():
        setattr(options, name, value)
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _together(session: Any, rows: Sequence[Row]) -> Any:
    """Run rows as one batch, the shorter ones filled up."""
    longest = max(len(ids) for ids, _ in rows)
    table = np.zeros((len(rows), longest), dtype=np.int64)
    kinds = np.zeros_like(table)
    for place, (ids, of_ids) in enumerate(rows):
        table[place, : len(ids)], kinds[place, : len(ids)] = ids, of_ids
    given = {"input_ids": table, "token_type_ids": kinds, "attention_mask": (table != 0).astype(np.int64)}
    return session.run(None, given)[0]


def _alone(session: Any, rows: Sequence[Row]) -> None:
    for row in rows:
        _together(session, [row])


def _pairs(session: Any, rows: Sequence[Row]) -> None:
    ordered = sorted(rows, key=lambda row: len(row[0]))
    for at in range(0, len(ordered), 2):
        _together(session, ordered[at : at + 2])


def _two_at_once(session: Any, rows: Sequence[Row]) -> None:
    ordered = sorted(rows, key=lambda row: -len(row[0]))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: _together(session, [row]), ordered))


def _ways(network: bytes) -> dict[str, Work]:
    one, two = _session(network, 1), _session(network, 2)
    return {
        "one padded batch, 2 threads (before)": lambda rows: _together(two, rows),
        "one padded batch, 1 thread": lambda rows: _together(one, rows),
        "pairs of like length, 2 threads": lambda rows: _pairs(two, rows),
        "pairs of like length, 1 thread": lambda rows: _pairs(one, rows),
        "rows alone, 2 threads": lambda rows: _alone(two, rows),
        "**rows alone, 1 thread** (now)": lambda rows: _alone(one, rows),
        "rows alone, two at once": lambda rows: _two_at_once(one, rows),
    }


def _options(network: bytes) -> dict[str, Work]:
    import onnxruntime

    levels = onnxruntime.GraphOptimizationLevel
    made = {
        "**as it is**: all optimisations, arena": _session(network, 1),
        "no arena": _session(network, 1, enable_cpu_mem_arena=False),
        "no memory pattern": _session(network, 1, enable_mem_pattern=False),
        "extended optimisations": _session(network, 1, graph_optimization_level=levels.ORT_ENABLE_EXTENDED),
        "basic optimisations": _session(network, 1, graph_optimization_level=levels.ORT_ENABLE_BASIC),
    }
    return {name: (lambda rows, session=session: _alone(session, rows)) for name, session in made.items()}


def _by_turns(ways: dict[str, Work], rows: Sequence[list[Row]]) -> str:
    least = {name: [float("inf")] * len(rows) for name in ways}
    spent = {name: [float("inf")] * len(rows) for name in ways}
    for _ in range(ROUNDS):
        for place, each in enumerate(rows):
            for name, work in ways.items():
                began, processor = time.perf_counter(), time.process_time()
                work(each)
                least[name][place] = min(least[name][place], time.perf_counter() - began)
                spent[name][place] = min(spent[name][place], time.process_time() - processor)
    first, first_spent = (sum(next(iter(kept.values()))) for kept in (least, spent))
    lines = ["| the network, one question | clock | ratio | processor | ratio |", "|---|---|---|---|---|"]
    for name in ways:
        clock, cpu = sum(least[name]), sum(spent[name])
        mean = f"{1000 * clock / len(rows):.1f} ms | {clock / first:.2f} | {1000 * cpu / len(rows):.1f} ms"
        lines.append(f"| {name} | {mean} | {cpu / first_spent:.2f} |")
    return "\n".join(lines)


def _whole(cases: Sequence[tuple[str, list[str]]]) -> str:
    """Return how long `Reader.read` takes: everything new, a new question about known passages, the same again."""
    from edge.tutor import encoding
    from edge.tutor.reader import Reader

    reader = Reader.open()
    taken: dict[str, list[float]] = {"all new": [], "known passages, new question": [], "the same again": []}
    for number in range(ROUNDS):
        for question, passages in cases:
            encoding._sentences.cache_clear()
            for name, asked in zip(
                taken, (f"{question} {number}", f"{number} {question}", f"{number} {question}"), strict=True
            ):
                began = time.perf_counter()
                reader.read(asked, passages, "es")
                taken[name].append(time.perf_counter() - began)
    first = median(taken["all new"])
    lines = ["| `Reader.read`, six passages | clock | ratio |", "|---|---|---|"]
    lines += [f"| {name} | {1000 * median(t):.1f} ms | {median(t) / first:.2f} |" for name, t in taken.items()]
    return "\n".join(lines)


def _start(network: bytes) -> str:
    """Return how long opening and the first row take, with and without a graph that was optimised and saved before."""
    import onnxruntime

    row: Row = ([2, *range(5, 100), 3], [0] * 97)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "optimised.onnx"
        _session(network, 1, optimized_model_filepath=str(saved))
        ready = saved.read_bytes()
    none = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    ways: dict[str, Callable[[], Any]] = {
        "as it is": lambda: _session(network, 1),
        "saved after optimising": lambda: _session(ready, 1, graph_optimization_level=none),
    }
    lines = ["| start | opens | first row | later rows |", "|---|---|---|---|"]
    times: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(2 * ROUNDS):
        for name, make in ways.items():
            stamps = [time.perf_counter()]
            session = make()
            for _ in range(4):
                stamps.append(time.perf_counter())
                _together(session, [row])
            stamps.append(time.perf_counter())
            times[name].append([b - a for a, b in pairwise(stamps)])
    for name, found in times.items():
        opens, begin, *later = (1000 * median(column) for column in zip(*found, strict=True))
        lines.append(f"| {name} | {opens:.0f} ms | {begin:.1f} ms | {median(later):.1f} ms |")
    return "\n".join(lines)
