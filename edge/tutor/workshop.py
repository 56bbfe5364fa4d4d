"""Put a tutor together for this device: its library, its reader, and a model if one is allowed.

Everything heavy opens at its first use.
"""

from __future__ import annotations

from functools import cache

from edge.library.library import Library
from edge.settings import Settings
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
    """Open the largest model on this device whose report card allows grounded answers, if there is one."""
    return None
