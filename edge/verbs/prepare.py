"""`amauta prepare`: read lessons ahead of time while nobody asks, so that tomorrow's questions are answered sooner."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edge.command_line import INTERRUPTED, ExitCode, answer, narrate
from edge.library.library import Library
from edge.settings import Settings
from edge.tutor import workshop
from edge.tutor.prepare import Progress, prepare, tomorrow
from edge.words import Words, words_for

BAR_WIDTH = 24


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `prepare`."""
    parser.add_argument("--lessons", metavar="ID", nargs="+", default=[], help=words.say("verbs.prepare.lessons"))
    parser.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prepare until all is ready, the budget is spent or Ctrl+C; what is ready stays."""
    words = words_for("edge", settings.spoken_lang)
    model = workshop.model_to_prepare(settings)
    library = Library.open(settings)
    try:
        lessons = [library.lesson(name).id for name in args.lessons] or tomorrow(library, settings)
        if args.dry_run:
            return _would(args, library, lessons, words)
        narrate(words, "prepare.begin", name=model.id)
        with workshop.open_model(settings, model) as engine, _until_interrupted() as stopped:
            now = Progress(len(lessons))
            try:
                for now in prepare(engine, library, lessons, stopped.is_set):
                    _show(now, words)
            finally:
                _say_what_was_done(args, now, words)
    finally:
        library.close()
    return INTERRUPTED if now.ended == "stopped" else ExitCode.DONE


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """Give what Ctrl+C sets, so that the lesson in work is put down in good order."""
    stopped = threading.Event()
    before = {name: signal.signal(name, lambda *_: stopped.set()) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _would(args: argparse.Namespace, library: Library, lessons: Sequence[str], words: Words) -> int:
    answer(args, {"would": list(lessons)})
    if not args.json:
        for name in lessons:
            sys.stdout.write(f"{words.say('prepare.would', title=library.title(name), lesson=name)}\n")
    return ExitCode.DONE


def _show(now: Progress, words: Words) -> None:
    """Draw a bar on a terminal, write a line for each lesson elsewhere."""
    if sys.stderr.isatty():
        full = BAR_WIDTH * now.looked_at // max(now.total, 1)
        bar = "#" * full + "." * (BAR_WIDTH - full)
        line = words.say("prepare.bar", bar=bar, done=now.looked_at, total=now.total, title=now.title)
        sys.stderr.write(f"\r{line[:100]}\x1b[K" + ("\n" if now.ended else ""))
    elif now.title:
        sys.stderr.write(f"{words.say('prepare.step', number=now.looked_at + 1, total=now.total, title=now.title)}\n")
    sys.stderr.flush()


def _say_what_was_done(args: argparse.Namespace, now: Progress, words: Words) -> None:
    facts = {"new": now.new, "there": now.there, "long": now.long, "left": now.left, "bytes": now.size}
    answer(args, {**facts, "ended": now.ended or "failed"})
    if not args.json:
        sys.stdout.write(f"{now.say(words)}\n")
        sys.stdout.flush()
