"""The command `amauta`: the app when no verb is given, every other verb through `edge.cli`.

Nothing heavy is imported here; the screen's library only when the app opens.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge import cli as verbs
from edge.command_line import ExitCode, Parser, run_guarded
from edge.settings import Settings, home_folder
from edge.update.places import Releases
from edge.words import words_for

VERB, CLASSROOM = "tutor", "classroom"


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Open the tutor or run another verb; return the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == [CLASSROOM]:
        return run_guarded(environ, lambda settings: _run_classroom(given[1:], settings))
    if given and given[0] not in (VERB, "--plain"):
        return verbs.main(given, environ)

    def work(settings: Settings) -> int:
        if _wants_lines(given[1:] if given[:1] == [VERB] else given, settings) or not shows_screens(environ):
            return _run_lines(settings)
        return _run_app(settings)

    return run_guarded(environ, work, first=_count_start)


def _count_start(environ: Mapping[str, str]) -> None:
    """Let a release that was begun before and never reached its prompt give way to the one before it."""
    home = home_folder(environ)
    if Releases.of(home).trial():
        from edge.update.start import begin

        begin(home, environ)


def _wants_lines(given: list[str], settings: Settings) -> bool:
    words = words_for("tui", settings.spoken_lang)
    parser = Parser(words_for("edge", settings.spoken_lang), f"amauta {VERB}", words.say("cli.description"))
    parser.add_argument("--plain", action="store_true", help=words.say("cli.plain"))
    return bool(parser.parse_args(given).plain)


def shows_screens(environ: Mapping[str, str]) -> bool:
    """Tell whether this terminal can show the app; a pipe and a dumb terminal get lines."""
    dumb = environ.get("TERM", "") in ("", "dumb", "unknown") and os.name != "nt"
    return sys.stdin.isatty() and sys.stdout.isatty() and not dumb


def _run_classroom(given: list[str], settings: Settings) -> int:
    from tui.classroom.verb import classroom

    return classroom(given, replace(settings, home=settings.home.absolute()))


def _run_lines(settings: Settings) -> int:
    from edge.llama.noise import divert
    from tui.opening import open_services
    from tui.plain import run

    divert(settings.home)
    return run(open_services(settings), sys.stdin, sys.stdout)


def _run_app(settings: Settings) -> int:
    from edge.llama.noise import divert
    from tui.app import AmautaApp
    from tui.opening import open_services

    # Libraries beside the present folder would be loaded from it; start from our own instead.
    settings = replace(settings, home=settings.home.absolute())
    os.chdir(Path(__file__).parent)
    # The search multiplies small matrices: more threads only take memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    divert(settings.home)
    services = open_services(settings)
    app = AmautaApp(services)
    app.run()
    if app.failure:
        sys.stderr.write(f"{app.failure.say(settings.spoken_lang)}\n")
        return ExitCode.REFUSED
    if not app.return_code:
        services.updates.leave()
    return app.return_code or ExitCode.DONE
