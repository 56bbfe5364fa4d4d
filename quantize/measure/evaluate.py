"""Measure one quantized file and write its report card, part by part.

Every part is a step with a receipt in `<card>.parts`: what was finished stays finished,
whatever happens to the rest. Each part asks parent and model the same things.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from edge.files import sha256_of, write_atomic
from edge.onnx.opening import Loaded, open_engine
from quantize.measure import flips, reference, score, speed
from quantize.measure.answers import Said, ask, marks_of
from quantize.measure.card import card_of
from quantize.measure.choice import chosen
from quantize.measure.formats import read_choices, read_tasks, task_files
from quantize.measure.gates import gates_of
from quantize.measure.settings import MeasureSettings
from quantize.measure.tasks import Choice, Task, TaskFile
from quantize.measure.windows import read_held, windows_of
from quantize.recipe import RecipeError
from quantize.steps import Input, run_step

CODE_VERSION = 1
"""Raised when a change of the code must measure everything anew."""

REFERENCE = "reference.npz"

Part = dict[str, Any]


def evaluate(
    parent: Path, model: Path, held: Path, settings: MeasureSettings, output_card: Path, output_reference: Path
) -> None:
    """Measure `model` against `parent` on the texts of `held` and on the recipe's tasks; write card and reference."""
    files = task_files(settings.tasks)
    gates_of(settings.gates, {}, output_card)  # what cannot be read is better found before the long part
    questions = {file.name: _read(file) for file in files}
    _refuse_same_names(files)
    parts = output_card.with_name(f"{output_card.stem}.parts")
    hashes = {"parent": sha256_of(parent), "model": sha256_of(model)}
    common: dict[str, Input] = {**hashes, "seed": settings.seed, "code": CODE_VERSION, "resamples": settings.resamples}
    texts: dict[str, Input] = {"held": held, "window": settings.window, "tokens": settings.tokens}
    chances = partial(_chances, parent, model, held, settings)
    found: dict[str, Any] = {
        "chances": _part(parts / "chances", common | texts | {"top_k": settings.top_k}, chances),
        "tasks": {},
    }
    for file in files:
        asked: dict[str, Input] = {"file": file.path, "items": settings.items, "most": settings.answer_tokens}
        ask_both = partial(_asked, parent, model, questions[file.name], settings)
        found["tasks"][file.name] = _part(parts / file.name, common | asked, ask_both)
    if settings.speed:
        on: dict[str, Input] = {"model": hashes["model"], "threads": settings.threads, "code": CODE_VERSION}
        found["speed"] = _part(parts / "speed", on, partial(_speed, model, settings.threads))
    shutil.copyfile(parts / "chances" / REFERENCE, output_reference)
    card = card_of(parent, model, output_reference, hashes, settings, found, output_card)
    write_atomic(output_card, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())


def _read(file: TaskFile) -> Sequence[Choice | Task]:
    rows: Sequence[Choice | Task] = read_choices(file) if file.kind == "choice" else read_tasks(file)
    if not rows:
        raise RecipeError("measure-line", path=file.path, line=1, reason="0")
    return rows


def _refuse_same_names(files: Sequence[TaskFile]) -> None:
    names = [file.name for file in files]
    for file in files:
        if names.count(file.name) > 1:
            raise RecipeError("task-twice", task=file.name)


def _part(folder: Path, inputs: Mapping[str, Input], make: Callable[[Path], None]) -> Part:
    """Make one part unless it is there already; return its figures."""

    def afresh() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)

    run_step(folder, inputs, afresh)
    found: Part = json.loads((folder / "figures.json").read_bytes())
    return found


def _speed(model: Path, threads: int, folder: Path) -> None:
    _write(folder, speed.measure(model, threads))


def _write(folder: Path, figures: Mapping[str, Any]) -> None:
    write_atomic(folder / "figures.json", json.dumps(figures, ensure_ascii=False).encode())


def _chances(parent: Path, model: Path, held: Path, settings: MeasureSettings, folder: Path) -> None:
    texts = read_held(held)
    recorder = reference.Recorder(settings.top_k, settings.seed)
    with open_engine(parent) as theirs, open_engine(model) as ours:
        windows = windows_of(theirs, texts, settings.window, settings.tokens)
        distances = score.compare(theirs, ours, windows, recorder)
        facts = {
            "parent": parent.name,
            "parent_sha256": sha256_of(parent),
            "held_sha256": sha256_of(held),
            "vocabulary": theirs.vocabulary_size,
            "top_k": settings.top_k,
            "sources": sorted({f"{text.source} ({text.licence})" for text in texts}),
        }
    recorder.write(folder / REFERENCE, windows, facts)
    _write(folder, score.summary(distances, settings.resamples, settings.seed))


def _asked(parent: Path, model: Path, rows: Sequence[Choice | Task], settings: MeasureSettings, folder: Path) -> None:
    few = _spread(rows, settings.items)
    before = _marks(parent, few, settings)
    now = _marks(model, few, settings)
    both = [at for at in range(len(few)) if before[at] is not None and now[at] is not None]
    names = sorted({name for at in both for name in (now[at] or {})})
    figures: Part = {"items": len(both), "too_long": len(few) - len(both), "marks": {}}
    for name in names:
        pairs = [((before[at] or {}).get(name), (now[at] or {}).get(name)) for at in both]
        theirs, ours = zip(*[(a, b) for a, b in pairs if a is not None and b is not None], strict=True)
        compared = flips.compare(theirs, ours, settings.resamples, settings.seed)
        figures["marks"][name] = {
            field: value if isinstance(value, int) else [round(value[end], 6) for end in ("value", "low", "high")]
            for field, value in asdict(compared).items()
        }
    _write(folder, figures)


def _spread(rows: Sequence[Choice | Task], most: int) -> list[Choice | Task]:
    """Return at most so many rows from all over the file, always the same ones."""
    if not most or len(rows) <= most:
        return list(rows)
    return [rows[at * len(rows) // most] for at in range(most)]


def _marks(path: Path, rows: Sequence[Choice | Task], settings: MeasureSettings) -> list[dict[str, float] | None]:
    with open_engine(path) as engine:
        return [_marks_of(engine, row, settings.answer_tokens) for row in rows]


def _marks_of(engine: Loaded, row: Choice | Task, most: int) -> dict[str, float] | None:
    if isinstance(row, Choice):
        answer = chosen(engine, row)
        return None if answer is None else {"right": float(answer == row.answer)}
    said: Said | None = ask(engine, row, most)
    return None if said is None else marks_of(said)
