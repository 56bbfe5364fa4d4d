"""Which decision table a question belongs to that the tutor hands to a health worker. D

Rules find it (edge/clinic/pointers.toml); the title is the table's own. Where no table fits, that is said.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from edge.settings import Settings
from edge.triage.errors import TriageError
from edge.triage.parts import in_language
from edge.triage.shelf import table_files
from edge.triage.table import read_table
from edge.tutor.scenes import Scene, happens, hear, read_scenes
from edge.words import words_for

POINTED = ("medicine", "diagnosis")
"""The rules of the guard whose answer names a table."""


def pointer(rule: str, question: str, lang: str, settings: Settings) -> str:
    """Return the sentence that names the table and how to open it; nothing where the device is no clinic's."""
    if settings.place != "clinic" or rule not in POINTED:
        return ""
    words = words_for("edge", lang)
    name = table_for(question)
    for path in table_files(settings):
        if path.stem == name:
            try:
                table = read_table(path)
            except TriageError:
                break  # the list of problems says what is wrong with it
            return words.say("guard.table", title=in_language(table.title, lang), table=table.id)
    return words.say("guard.no-table")


def table_for(question: str) -> str:
    """Return the name of the table that fits a question, or nothing."""
    message = hear(question)
    return next((name for name, scenes in _pointers() if happens(scenes, message)), "")


@cache
def _pointers() -> tuple[tuple[str, tuple[Scene, ...]], ...]:
    table = tomllib.loads(files("edge.clinic").joinpath("pointers.toml").read_text(encoding="utf-8"))
    return tuple((name, read_scenes(said["scenes"])) for name, said in table.items())
