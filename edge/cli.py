"""The verbs of `amauta` other than the app itself.

Each verb is a module of `edge.verbs` with `configure(parser, words)` and `run(args,
settings)`; only the one that was asked for is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType

from edge.command_line import ExitCode, Parser, run_guarded
from edge.errors import EdgeError
from edge.settings import Settings
from edge.words import LANGUAGES, Words, words_for

VERBS = (
    *("ask", "speak", "packs", "learners", "report", "models", "voices", "doctor", "engine", "prepare"),
    *("update", "trust", "sync", "hub", "clinic"),
)
"""Every verb; the app itself is `amauta` or `amauta tutor`."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one verb; return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    return run_guarded(environ, lambda settings: _run(given, settings, words_for("edge", settings.spoken_lang)))


def _run(given: list[str], settings: Settings, words: Words) -> int:
    if not given or given[0] in ("-h", "--help"):
        sys.stdout.write(overview(words))
        return ExitCode.DONE
    if given[0] == "--version":
        from edge import __version__

        sys.stdout.write(f"amauta {__version__}\n")
        return ExitCode.DONE
    verb = given[0]
    if verb not in VERBS:
        raise EdgeError("verb-unknown", verb=verb[:60])
    module = _module(verb)
    parser = Parser(words, f"amauta {verb}", words.say(f"verbs.{verb}.help"))
    module.configure(parser, words)
    return int(module.run(parser.parse_args(given[1:]), settings))


def overview(words: Words) -> str:
    """Return the help of `amauta` itself: every verb with one line."""
    lines = [f"  {verb:<10}{words.say(f'verbs.{verb}.help')}" for verb in VERBS]
    return f"{words.say('usage.overview')}\n\n" + "\n".join(lines) + f"\n\n{words.say('usage.more')}\n"


def lang_of(given: str | None, settings: Settings) -> str:
    """Return the language asked for, or that of the settings; refuse one we do not speak."""
    if given is None:
        return settings.spoken_lang
    if given not in LANGUAGES:
        raise EdgeError("lang-unknown", lang=given[:20], choices=", ".join(LANGUAGES))
    return given


def _module(verb: str) -> ModuleType:
    return import_module(f"edge.verbs.{verb}")
