"""Put a tutor together for this device: its library, its reader, and a model if one is allowed.

Everything heavy opens at its first use.
"""

from __future__ import annotations

import os
from functools import cache

from edge.library.library import Library
from edge.settings import Settings
from edge.shared import wire
from edge.tutor.engine import Engine
from edge.tutor.reader import Reader
from edge.tutor.turn import Tutor


def open_tutor(settings: Settings, library: Library) -> Tutor:
    """Return the tutor of this device."""

    @cache
    def reader() -> Reader:
        return Reader.open()

    @cache
    def model() -> Engine | None:
        return allowed_model(settings)

    return Tutor(library, reader, model)


def allowed_model(settings: Settings) -> Engine | None:
    """Open the largest model here whose report card allows grounded answers and that fits in memory.

    Where `amauta engine` runs it for a whole class, that one answers.
    """
    from edge.device import MEGABYTE, ram_mb
    from edge.release.installed import model_for
    from edge.release.manifest import embedded_release

    found = model_for(settings, embedded_release(), "grounded_answer")
    if found is None:
        return None
    least_mb = found.artifact.min_ram_mb if found.artifact and found.artifact.min_ram_mb else found.size // MEGABYTE * 2
    if ram_mb() < least_mb:
        return None
    if (place := wire.found(settings.home)) is not None and place.model == found.path.stem:
        from edge.shared.client import SharedEngine

        return SharedEngine(settings.home, str(os.getpid()))
    from edge.tutor.adapter import adapter_for
    from edge.tutor.llama import LlamaEngine
    from edge.tutor.tuning import tuning_for

    tuning = tuning_for(settings.home, found.sha256)
    return LlamaEngine.open(found.path, adapter=adapter_for(settings.shelves, found.sha256), tuning=tuning)
