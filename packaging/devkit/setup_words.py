"""What setting up says, in three languages, before anything is installed."""

from __future__ import annotations

import os
import sys

from edge.words import LANGUAGES, Value, words_for


def setup_lang() -> str:
    """Return AMAUTA_LANG, else the language of the system, else the default one."""
    for name in ("AMAUTA_LANG", "LC_ALL", "LANG"):
        if (code := os.environ.get(name, "")[:2]) in LANGUAGES:
            return code
    return LANGUAGES[0]


class SetupError(Exception):
    """Setting up cannot go on: what happened and what to do next."""

    def __init__(self, key: str, **values: Value) -> None:
        super().__init__(words_for("devkit", setup_lang()).say(key, **values))


def say(key: str, **values: Value) -> None:
    """Tell the person at the screen what is going on."""
    sys.stderr.write(f"{words_for('devkit', setup_lang()).say(key, **values)}\n")
    sys.stderr.flush()
