"""The steps from a checkpoint to a release, in order, each with what it is made from.

fetch, corpus, [distil], [trim], convert, verify, importance, allocate, quantize, [qad],
[export, shrink], evaluate, report, publish, [device-onnx and its card] for a decoder; fetch, corpus, export, shrink,
evaluate, publish for an encoder. Listing them loads no torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from quantize.recipe import ROOT, Recipe
from quantize.release import decoders, encoders, job
from quantize.release.places import Places
from quantize.release.settings import ReleaseSettings, read_settings
from quantize.steps import Input, Step
from quantize.text.sources import archives

CODE_VERSION = 1
"""Raised when a change of the code must make everything anew."""


def steps(recipe: Recipe, work: Path) -> list[Step]:
    """Return the steps of a release's recipe."""
    # Threads that wait by spinning make every other program, and this one, slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    places = Places(recipe, read_settings(recipe), work)
    first = _first_steps(places)
    if places.settings.encoder:
        return [*first, *_onnx_steps(places, encoder=True), *_encoder_steps(places)]
    between = _shrinking_steps(places)
    beside = _onnx_steps(places, encoder=False) if places.settings.onnx else []
    device = _device_steps(places) if places.settings.device_onnx else []
    return [*first, *between, *_gguf_steps(places), *beside, *_last_steps(places), *device]


def _step(name: str, places: Places, output: Path, inputs: dict[str, Input], make: Callable[[Places], None]) -> Step:
    return Step(name, output, {"code": CODE_VERSION, **inputs}, partial(make, places))


def _first_steps(places: Places) -> list[Step]:
    settings, recipe = places.settings, places.recipe
    source: Input = Path(places.source) if Path(places.source).is_dir() else places.source
    asked: dict[str, Input] = {"revision": settings.revision, "licence": settings.licence, "title": settings.title}
    texts: dict[str, Input] = {path.name: path for path in (*archives(recipe.corpora), *recipe.packs)}
    texts |= {"checkpoint": places.checkpoint, "settings": repr(settings.text), "seed": recipe.seed}
    return [
        _step("fetch", places, places.checkpoint, {"source": source, **asked}, job.fetch),
        _step("corpus", places, places.corpus, texts, job.gather),
    ]


def _shrinking_steps(places: Places) -> list[Step]:
    settings, made = places.settings, []
    if settings.distil:
        inputs: dict[str, Input] = {"checkpoint": places.checkpoint, "corpus": places.corpus}
        inputs |= {"settings": repr(settings.distil)}
        made.append(_step("distil", places, places.student, inputs, job.distil))
    if settings.trim:
        whole = places.student if settings.distil else places.checkpoint
        inputs = {"checkpoint": whole, "corpus": places.corpus, "settings": repr(settings.trim)}
        made.append(_step("trim", places, places.trimmed, inputs, job.trim))
    return made


def _gguf_steps(places: Places) -> list[Step]:
    settings = places.settings
    parent: dict[str, Input] = {"checkpoint": places.model, "gguf": places.parent}
    calibration: dict[str, Input] = {"calibration": places.corpus / "calibration.jsonl"}
    names: dict[str, Input] = {"title": settings.title, "languages": " ".join(settings.languages)}
    planned: dict[str, Input] = {"gguf": places.parent, "plan": places.plan, "importance": places.importance}
    made = [
        _step(
            "convert",
            places,
            places.parent,
            {"checkpoint": places.model, "numbers": settings.numbers, **names},
            job.convert,
        ),
        _step("verify", places, places.proof, {**parent, "scores": settings.scores}, job.verify),
        _step(
            "importance",
            places,
            places.importance,
            {**parent, **calibration, "settings": repr(settings.importance)},
            job.weigh,
        ),
        _step(
            "allocate",
            places,
            places.plan,
            {"gguf": places.parent, "importance": places.importance, "settings": repr(settings.allocate)},
            job.allocate,
        ),
        _step("quantize", places, places.plain, planned, job.quantize),
    ]
    if settings.qad:
        inputs = {**parent, **planned, **calibration, "plain": places.plain, "settings": repr(settings.qad)}
        made.append(_step("qad", places, places.trained, inputs, job.train))
    return made


def _last_steps(places: Places) -> list[Step]:
    settings = places.settings
    tasks: dict[str, Input] = {line: ROOT / line.split()[-1] for line in settings.measure.tasks if line.split()}
    evaluated: dict[str, Input] = {"gguf": places.parent, "model": places.final}
    evaluated |= {"held": places.corpus / "held.jsonl", "settings": repr(settings.measure), **tasks}
    told: dict[str, Input] = {"card": places.card, "plan": places.plan, "mix": places.corpus / "mix.json"}
    told |= {"gguf": places.parent, "importance": places.importance}
    shipped: dict[str, Input] = {"model": places.final, "measured": places.measured, "report": places.report}
    return [
        _step("evaluate", places, places.measured, evaluated, job.measure),
        _step("report", places, places.report, told, job.report),
        _step("publish", places, places.recipe.output, {**shipped, "settings": _published(settings)}, job.publish),
    ]


def _onnx_steps(places: Places, encoder: bool) -> list[Step]:
    export = partial(encoders.export, encoder=encoder)
    task = encoders.task_of(places, encoder)
    small = places.work / "onnx-small"
    return [
        _step("export", places, places.onnx, {"checkpoint": places.model, "task": task}, export),
        _step("shrink", places, small, {"onnx": places.onnx, "kinds": " ".join(places.settings.onnx)}, encoders.shrink),
    ]


def _device_steps(places: Places) -> list[Step]:
    file, card = places.device_onnx, places.device_onnx_card
    written: dict[str, Input] = {"gguf": places.parent, "final": places.final, "kind": places.settings.device_onnx}
    held: dict[str, Input] = {"held": places.corpus / "held.jsonl", "settings": repr(places.settings.measure)}
    shipped: dict[str, Input] = {"model": file, "card": card, "settings": _published(places.settings)}
    return [
        _step("device-onnx", places, file, written, decoders.write),
        _step("device-onnx-evaluate", places, card, {"gguf": places.parent, "model": file, **held}, decoders.measure),
        _step("device-onnx-publish", places, places.device_output, shipped, decoders.publish),
    ]


def _encoder_steps(places: Places) -> list[Step]:
    folder: dict[str, Input] = {"onnx": encoders.finished(places), "title": places.settings.title}
    shipped: dict[str, Input] = {"card": places.card, "settings": _published(places.settings)}
    return [
        _step("evaluate", places, places.card, folder, encoders.write_card),
        _step("publish", places, places.recipe.output, {**folder, **shipped}, encoders.publish),
    ]


def _published(settings: ReleaseSettings) -> str:
    return repr(settings.publish)
