"""`amauta engine`: one model for a whole classroom, until Ctrl+C. `amauta classroom` begins it by itself."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from edge.command_line import ExitCode
from edge.errors import EdgeError, ModelError
from edge.settings import Settings
from edge.words import Words, words_for

if TYPE_CHECKING:
    from edge.release.installed import InstalledModel

SEATS, MOST_SEATS = 4, 32
GIVES_WAY = 10


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `engine`."""
    parser.add_argument("--model", metavar="MODEL", help=words.say("verbs.engine.model"))
    parser.add_argument("--seats", metavar="N", type=int, default=SEATS, help=words.say("verbs.engine.seats"))
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Answer whoever asks, until told to stop."""
    from edge.device import refuse_unfit_processor

    words = words_for("edge", settings.spoken_lang)
    if not 1 <= args.seats <= MOST_SEATS:
        raise EdgeError("engine-seats", seats=args.seats, most=MOST_SEATS)
    model = _model(args.model, settings)
    refuse_unfit_processor()
    from edge.llama.noise import divert
    from edge.shared.server import serve
    from edge.tutor.adapter import adapter_for
    from edge.tutor.tuning import tuning_for
    from edge.tutor.workshop import class_beginnings

    divert(settings.home)
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())

    if args.with_parent:
        _give_way()
        threading.Thread(target=_end_with_parent, args=(stopped,), daemon=True).start()

    def ready(port: int) -> None:
        if args.json:
            sys.stdout.write(f"{json.dumps({'model': model.id, 'seats': args.seats, 'port': port})}\n")
            sys.stdout.flush()
        sys.stderr.write(f"{words.say('engine.open', name=model.id, seats=args.seats)}\n")
        sys.stderr.flush()

    tuning, adapter = tuning_for(settings.home, model.sha256), adapter_for(settings.shelves, model.sha256)
    kept = class_beginnings(model, tuning, adapter)
    serve(model.path, args.seats, settings.home, ready, stopped, tuning=tuning, adapter=adapter, beginnings=kept)
    return ExitCode.DONE


def _model(name: str | None, settings: Settings) -> InstalledModel:
    """Return the model of that name, or the one that may answer here; raise ModelError when it cannot write for many."""
    from edge.release.installed import find_model, model_for
    from edge.release.manifest import embedded_release

    release, may = embedded_release(), "grounded_answer"
    if name is not None:
        found: InstalledModel | None = find_model(settings, release, name)
    else:
        found = model_for(settings, release, may, ("lm",)) or model_for(settings, release, may)
    if found is None:
        raise ModelError("engine-no-model")
    if found.kind != "lm":
        raise ModelError("engine-form", name=found.id)
    return found


def _give_way() -> None:
    """Let the pupils' apps come first on the processor: their answers from the library wait for no model."""
    if hasattr(os, "nice"):
        os.nice(GIVES_WAY)


def _end_with_parent(stopped: threading.Event) -> None:
    """Set `stopped` when the program that began this one is gone, however it went."""
    while sys.stdin.buffer.read(1):
        pass
    stopped.set()
