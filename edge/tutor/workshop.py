"""Put a tutor together for this device: its library, its reader, and a model if one is allowed.

Everything heavy opens at its first use.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cache import cache_folder
from edge.device import MEGABYTE, ram_mb, refuse_unfit_processor
from edge.errors import ModelError
from edge.files import sha256_of
from edge.library.library import Library
from edge.settings import Settings
from edge.shared import wire
from edge.tutor.engine import Engine
from edge.tutor.numbers import numbers_of
from edge.tutor.reader import Reader
from edge.tutor.turn import Tutor

if TYPE_CHECKING:
    from edge.llama.beginnings import Beginnings
    from edge.onnx.opening import Loaded
    from edge.release.installed import InstalledModel
    from edge.tutor.tuning import Tuning


def open_tutor(settings: Settings, library: Library) -> Tutor:
    """Return the tutor of this device."""

    @cache
    def reader() -> Reader:
        return Reader.open()

    @cache
    def model() -> Engine | None:
        return allowed_model(settings)

    def pointer(rule: str, question: str, lang: str) -> str:
        from edge.tutor import pointing

        return pointing.pointer(rule, question, lang, settings)

    return Tutor(library, reader, model, numbers=lambda: numbers_of(settings), pointer=pointer)


def allowed_model(settings: Settings) -> Engine | None:
    """Open the largest model here whose report card allows grounded answers and that fits in memory.

    Where `amauta engine` runs it for a whole class, that one answers.
    """
    found = model_that_may_answer(settings)
    if found is None:
        return None
    shared = class_engine(settings, found.path.stem) if wire.answers(settings.home) else None
    return shared or open_model(settings, found)


def model_that_may_answer(settings: Settings, *, a_class: bool = False) -> InstalledModel | None:
    """Return the largest model here whose report card allows grounded answers, if this machine has memory for it.

    For `a_class` it is a GGUF file: an ONNX file answers one person at a time.
    """
    from edge.release.installed import ENDINGS, model_for
    from edge.release.manifest import embedded_release

    found = model_for(settings, embedded_release(), "grounded_answer", ("lm",) if a_class else tuple(ENDINGS))
    if found is None:
        return None
    least_mb = found.artifact.min_ram_mb if found.artifact and found.artifact.min_ram_mb else found.size // MEGABYTE * 2
    return found if ram_mb() >= least_mb else None


def model_to_prepare(settings: Settings) -> InstalledModel:
    """Return the model for which lessons can be read ahead; raise ModelError when there is none, or it serves a class now."""
    found = model_that_may_answer(settings)
    if found is None:
        raise ModelError("prepare-no-model")
    if wire.answers(settings.home):
        raise ModelError("prepare-busy")
    refuse_unfit_processor()
    return found


def class_engine(settings: Settings, model: str) -> Engine | None:
    """Return the engine of a class, where one was opened for this model."""
    place = wire.found(settings.home)
    if place is None or place.model != model:
        return None
    from edge.shared.client import SharedEngine

    return SharedEngine(settings.home, str(os.getpid()))


def open_model(settings: Settings, model: InstalledModel) -> Loaded:
    """Load a model for one person, in the form and the way it runs best here; what lessons begin with is kept on disk."""
    from edge.onnx.choice import KIND, open_alone, open_if_faster
    from edge.tutor.adapter import adapter_for
    from edge.tutor.llama import LlamaEngine
    from edge.tutor.tuning import tuning_for

    if model.kind == KIND:
        return open_alone(settings, model, beginnings_folder())
    other = open_if_faster(settings, model, "grounded_answer", beginnings_folder())
    if other is not None:
        return other
    adapter = adapter_for(settings.shelves, model.sha256)
    engine = LlamaEngine.open(model.path, adapter=adapter, tuning=tuning_for(settings.home, model.sha256))
    engine.keep_beginnings(beginnings_folder(), model.sha256, extra=sha256_of(adapter) if adapter else "")
    return engine


def class_beginnings(model: InstalledModel, tuning: Tuning | None, adapter: Path | None) -> Beginnings | None:
    """Return where the engine of a class finds the lessons that were read for one person, and keeps its own.

    None where one person's engine runs in a way that gives them another form.
    """
    if tuning is not None and not tuning.flash:
        return None
    from edge.llama.beginnings import Beginnings, key_of
    from edge.tutor.gguf import read_head
    from edge.tutor.llama import CONTEXT_TOKENS

    room = min(CONTEXT_TOKENS, read_head(model.path).context or CONTEXT_TOKENS)
    return Beginnings(beginnings_folder(), key_of(model.sha256, room, sha256_of(adapter) if adapter else ""))


def beginnings_folder() -> Path:
    """Return where beginnings of lessons are kept; they hold nothing of a person and may be deleted at any time."""
    return cache_folder() / "beginnings"
