"""The settings a learner may change: what each is called, and what comes after its value."""

from __future__ import annotations

from dataclasses import replace

from edge.settings import PLACES, SPEEDS, THEMES, Settings
from edge.words import LANGUAGES, Words


def shown(settings: Settings, words: Words) -> dict[str, str]:
    """Return the present value of each setting as the learner reads it."""
    return {
        "lang": words.say(f"languages.{settings.spoken_lang}"),
        "theme": words.say(f"settings.themes.{settings.theme}"),
        "sound": words.say(f"settings.sounds.{'on' if settings.sound else 'off'}"),
        "speed": words.say(f"settings.speeds.{settings.speed}"),
        "place": words.say(f"settings.places.{settings.place}"),
    }


def with_lang(settings: Settings, lang: str) -> Settings:
    """Return the settings with another language."""
    return replace(settings, lang=lang)


def changed(settings: Settings, name: str, step: int) -> Settings:
    """Return the settings with the next or previous value of `name`."""
    if name == "lang":
        return replace(settings, lang=_next(LANGUAGES, settings.spoken_lang, step))
    if name == "theme":
        return replace(settings, theme=_next(THEMES, settings.theme, step))
    if name == "speed":
        return replace(settings, speed=_next(SPEEDS, settings.speed, step))
    if name == "place":
        return replace(settings, place=_next(PLACES, settings.place, step))
    return replace(settings, sound=not settings.sound)


def _next(values: tuple[str, ...], value: str, step: int) -> str:
    return values[(values.index(value) + step) % len(values)]
