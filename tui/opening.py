"""Open the real library, tutor, store and voice of this device, each when first needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from edge import drives
from edge.errors import SpeechError
from edge.settings import Settings
from edge.update.mochila import find
from edge.words import words_for
from tui.services import Openers, Services

if TYPE_CHECKING:
    from edge.learning.store import Store
    from edge.library.library import Library
    from edge.speech.speaker import Speaker
    from edge.tutor.turn import Tutor


def open_services(settings: Settings) -> Services:
    """Return the services of this device, which belongs to its school from now on; nothing is opened yet."""
    settings = _provisioned(settings)
    openers = Openers(_library, _tutor, _store, _speaker)
    return Services(
        settings,
        openers,
        random=Random(),
        now=lambda: datetime.now(UTC),
        sticks=lambda: find(os.environ),
        drives=lambda: drives.find(os.environ),
    )


def _provisioned(settings: Settings) -> Settings:
    """Do what the stick beside the app asks for; what goes wrong with it is said and stops nothing."""
    if not settings.shelves:
        return settings
    from edge.provision import provision

    done = provision(settings)
    if done.trouble is not None:
        sys.stderr.write(f"{done.trouble.say(settings.spoken_lang)}\n")
    elif done.school:
        words = words_for("edge", done.settings.spoken_lang)
        sys.stderr.write(f"{words.say('provision.done', school=done.school, learners=done.learners_added)}\n")
        sys.stderr.write("".join(f"{line}\n" for line in done.clinic.say(words)))
    return done.settings


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
