"""Put a tutor together for this device: its library, its reader, and a model if one is allowed.

Everything heavy opens at its first use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from edge.cache import cache_folder
from edge.device import MEGABYTE, ram_mb, refuse_unfit_processor
from edge.errors import ModelError
from edge.files import sha256_of
from edge.library.library import Library
from edge.settings import Settings
from edge.shared import wire
from edge.tutor.coach import Coach
from edge.tutor.engine import ShapingEngine
from edge.tutor.numbers import numbers_of
from edge.tutor.reader import Reader
from edge.tutor.turn import Tutor

if TYPE_CHECKING:
    from edge.llama.beginnings import Beginnings
    from edge.onnx.opening import Loaded
    from edge.release.installed import InstalledModel
    from edge.tutor.tuning import Tuning


ANSWERS = "grounded_answer"


def open_tutor(settings: Settings, library: Library) -> Tutor:
    """Return the tutor of this device."""

    @cache
    def reader() -> Reader:
        return Reader.open()

    model = ModelInUse(settings)

    def pointer(rule: str, question: str, lang: str) -> str:
        from edge.tutor import pointing

        return pointing.pointer(rule, question, lang, settings)

    return Tutor(
        library,
        reader,
        lambda: model.engine() if model.may(ANSWERS) else None,
        numbers=lambda: numbers_of(settings),
        pointer=pointer,
        coach=Coach(model.may, model.engine, library.is_strict),
    )


class ModelInUse:
    """The one language model of this device, opened at its first use: what it may do, its report card says.

    It is the one that may answer, or else write hints, or else exercises: two at a time would not fit in memory.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, RLock()
        self._engine: ShapingEngine | None = None

    @cached_property
    def _found(self) -> InstalledModel | None:
        found = (model_that_may(self._settings, capability) for capability in (ANSWERS, "hint", "exercise"))
        return next(filter(None, found), None)

    @cached_property
    def _form(self) -> InstalledModel | None:
        """The ONNX form of it, where that one would run."""
        from edge.onnx.choice import KIND, faster_form

        found = self._found
        return faster_form(self._settings, found, ANSWERS) if found is not None and found.kind != KIND else None

    def may(self, capability: str) -> bool:
        """Tell whether every form of the model that can run here may do this, each by its own report card."""
        with self._lock:
            found = self._found
            return found is not None and all(m.allows(capability) for m in (found, self._form) if m is not None)

    def engine(self) -> ShapingEngine | None:
        """Return the model, opened, or the class's engine where that runs it; None where no model may do anything."""
        with self._lock:
            if self._engine is None and self._found is not None:
                self._engine = _opened(self._settings, self._found)
            return self._engine


def allowed_model(settings: Settings) -> ShapingEngine | None:
    """Open the largest model here whose report card allows grounded answers and that fits in memory.

    Where `amauta engine` runs it for a whole class, that one answers.
    """
    found = model_that_may_answer(settings)
    return None if found is None else _opened(settings, found)


def _opened(settings: Settings, found: InstalledModel) -> ShapingEngine:
    shared = class_engine(settings, found.path.stem) if wire.answers(settings.home) else None
    return shared or open_model(settings, found)


def model_that_may_answer(settings: Settings, *, a_class: bool = False) -> InstalledModel | None:
    """Return the largest model here whose report card allows grounded answers, if this machine has memory for it.

    For `a_class` it is a GGUF file: an ONNX file answers one person at a time.
    """
    return model_that_may(settings, ANSWERS, a_class=a_class)


def model_that_may(settings: Settings, capability: str, *, a_class: bool = False) -> InstalledModel | None:
    """Return the largest model here whose report card opens `capability`, if this machine has memory for it."""
    from edge.release.installed import ENDINGS, model_for
    from edge.release.manifest import embedded_release

    found = model_for(settings, embedded_release(), capability, ("lm",) if a_class else tuple(ENDINGS))
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


def class_coach(settings: Settings, library: Library, engine: Callable[[], ShapingEngine | None]) -> Coach:
    """Return what the class's engine may write for practice: what the card of the model that answers the class opens."""

    @cache
    def may(capability: str) -> bool:
        found = model_that_may_answer(settings, a_class=True)
        return found is not None and found.allows(capability)

    return Coach(may, engine, library.is_strict)


def class_engine(settings: Settings, model: str) -> ShapingEngine | None:
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
    other = open_if_faster(settings, model, ANSWERS, beginnings_folder())
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
