"""Open the real library, tutor, store and voice of this device, each when first needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from edge.errors import SpeechError
from edge.settings import Settings
from tui.services import Openers, Services

if TYPE_CHECKING:
    from edge.learning.store import Store
    from edge.library.library import Library
    from edge.speech.speaker import Speaker
    from edge.tutor.turn import Tutor


def open_services(settings: Settings) -> Services:
    """Return the services of this device; nothing is opened yet."""
    openers = Openers(_library, _tutor, _store, _speaker)
    return Services(settings, openers, random=Random(), now=lambda: datetime.now(UTC))


def _library(settings: Settings) -> Library:
    from edge.library.library import Library

    return Library.open(settings)


def _tutor(library: Library, settings: Settings) -> Tutor:
    from edge.tutor.workshop import open_tutor

    return open_tutor(settings, library)


def _store(settings: Settings) -> Store:
    from edge.learning.store import Store

    return Store.open(settings.store_path)


def _speaker(settings: Settings, lang: str, on_problem: Callable[[SpeechError], None]) -> Speaker:
    from edge.speech.speaker import Speaker
    from edge.speech.voice import open_voice

    return Speaker(open_voice(settings, lang), on_problem=on_problem)
