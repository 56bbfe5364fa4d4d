"""The command `amauta-kit`: what a field technician does.

Each verb is a module of `devkit.verbs` with `configure(parser, words)` and `run(args,
settings, words)`; only the one that was asked for is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from devkit.errors import KitError
from edge import __version__
from edge.command_line import ExitCode, Parser, run_guarded
from edge.settings import Settings
from edge.words import Words, words_for

VERBS = ("laptop", "depot", "plan", "freeze", "image", "write", "verify", "paper", "fleet", "code")
"""Every verb, in the order of the work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    return run_guarded(os.environ, lambda settings: _run(given, settings, words_for("devkit", settings.spoken_lang)))


def _run(given: list[str], settings: Settings, words: Words) -> int:
    if not given or given[0] in ("-h", "--help"):
        sys.stdout.write(overview(words))
        return ExitCode.DONE
    verb = given[0]
    if verb == "--version":
        sys.stdout.write(f"amauta-kit {__version__}\n")
        return ExitCode.DONE
    if verb not in VERBS:
        raise KitError("verb-unknown", verb=verb[:60], verbs=", ".join(VERBS))
    module = import_module(f"devkit.verbs.{verb}")
    parser = Parser(words_for("edge", words.lang), f"amauta-kit {verb}", words.say(f"verbs.{verb}.help"))
    module.configure(parser, words)
    return int(module.run(parser.parse_args(given[1:]), settings, words))


def overview(words: Words) -> str:
    """Return the help of `amauta-kit` itself: every verb with one line."""
    lines = [f"  {verb:<10}{words.say(f'verbs.{verb}.help')}" for verb in VERBS]
    return f"{words.say('kit.overview')}\n\n" + "\n".join(lines) + f"\n\n{words.say('kit.more')}\n"


if __name__ == "__main__":
    sys.exit(main())
