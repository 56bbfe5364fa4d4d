"""`amauta models pull` and `amauta voices pull`: what a person sees while a file comes."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from edge.command_line import ExitCode
from edge.release.fetch import Fetched, Patience, Watch
from edge.release.manifest import embedded_release
from edge.release.part import SPARE_BYTES, megabytes
from edge.release.pull import Pull, plan_pull, pull_model, pull_voice
from edge.settings import Settings
from edge.words import Words

BAR_WIDTH = 24
EVERY_S = 0.2
EVERY_SHARE = 0.1
"""Between two lines where there is no terminal."""


class Bar:
    """One line on a terminal that grows in place."""

    def __init__(self, words: Words, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._words, self._stream, self._clock = words, stream, clock
        self._began: tuple[float, int] | None = None
        self._next = 0.0

    def moved(self, done: int, total: int) -> None:
        """Draw how much is here, how fast it comes and how long it will take."""
        now = self._clock()
        if self._began is None:
            self._began = (now, done)
        if now < self._next and done < total:
            return
        self._next = now + EVERY_S
        began, first = self._began
        rate = (done - first) / max(now - began, 1e-3)
        left = round((total - done) / rate) if rate > 0 else 0
        full = BAR_WIDTH * done // max(total, 1)
        line = self._words.say(
            "pull.bar",
            bar="#" * full + "." * (BAR_WIDTH - full),
            percent=100 * done // max(total, 1),
            done=megabytes(done),
            total=megabytes(total),
            rate=megabytes(round(rate)),
            left=f"{left // 60}:{left % 60:02}",
        )
        self._stream.write(f"\r{line}\x1b[K" + ("\n" if done == total else ""))
        self._stream.flush()

    def waiting(self, reason: str, wait_s: float) -> None:
        """Say that the line broke."""
        self._began = None
        self._stream.write(f"\n{self._words.say('pull.waiting', reason=reason, seconds=round(wait_s, 1))}\n")

    def restarted(self) -> None:
        """Say that the file begins again."""
        self._began = None
        self._stream.write(f"\n{self._words.say('pull.restarted')}\n")


class Lines:
    """A few whole lines, for files and pipes."""

    def __init__(self, words: Words, stream: IO[str]) -> None:
        self._words, self._stream = words, stream
        self._said = -1.0

    def moved(self, done: int, total: int) -> None:
        """Say how much is here, ten times in all."""
        share = done / max(total, 1)
        if self._said >= 0 and share - self._said < EVERY_SHARE and done < total:
            return
        self._said = share
        self._say("pull.line", percent=100 * done // max(total, 1), done=megabytes(done), total=megabytes(total))

    def waiting(self, reason: str, wait_s: float) -> None:
        """Say that the line broke."""
        self._say("pull.waiting", reason=reason, seconds=round(wait_s, 1))

    def restarted(self) -> None:
        """Say that the file begins again."""
        self._said = -1.0
        self._say("pull.restarted")

    def _say(self, key: str, **facts: str | float) -> None:
        self._stream.write(f"{self._words.say(key, **facts)}\n")
        self._stream.flush()


def configure_pull(actions: Any, words: Words) -> None:
    """Add the arguments of `pull` to the actions of a verb."""
    pulling = actions.add_parser("pull", help=words.say("verbs.pull.help"))
    pulling.add_argument("name", metavar="ID", help=words.say("verbs.pull.id"))
    pulling.add_argument("--mirror", metavar="URL|FOLDER", help=words.say("verbs.pull.mirror"))
    pulling.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    pulling.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run_pull(args: argparse.Namespace, kind: str, settings: Settings, words: Words) -> int:
    """Fetch what was asked for, or say what would be fetched."""
    home = settings.models_folder if kind == "lm" else settings.voices_folder
    pull = plan_pull(embedded_release(), kind, args.name, args.mirror, home)
    licence = pull.artifact.licence or words.say("models.unknown")
    if args.dry_run:
        return _say_plan(pull, args.json, licence, words)
    source = str(pull.pieces[-1].sources[0])
    _narrate(words.say("pull.begin", name=args.name, source=source, licence=licence))
    watch: Watch = Bar(words, sys.stderr) if sys.stderr.isatty() else Lines(words, sys.stderr)
    try:
        done = (pull_model if kind == "lm" else pull_voice)(pull, watch, Patience())
    except KeyboardInterrupt:
        _narrate("\n" + words.say("pull.stopped", name=args.name))
        raise
    return _say_done(pull, done, args.json, words)


def _say_plan(pull: Pull, as_json: bool, licence: str, words: Words) -> int:
    free, source = _free(pull.folder), str(pull.pieces[-1].sources[0])
    if as_json:
        files = [
            {"name": p.wanted.name, "size": p.wanted.size, "sources": [str(s) for s in p.sources]} for p in pull.pieces
        ]
        answer = {"id": pull.artifact.id, "files": files, "missing_bytes": pull.missing_bytes, "free_bytes": free}
        sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False)}\n")
    _narrate(
        words.say(
            "pull.would",
            name=pull.artifact.id,
            source=source,
            missing=megabytes(pull.missing_bytes),
            free=megabytes(free),
            licence=licence,
        )
    )
    if free < pull.missing_bytes + SPARE_BYTES:
        _narrate(words.say("pull.no-room"))
    return ExitCode.DONE


def _say_done(pull: Pull, done: Fetched, as_json: bool, words: Words) -> int:
    if as_json:
        answer = {
            "id": pull.artifact.id,
            "path": str(done.path),
            "size": done.size,
            "sha256": pull.artifact.sha256,
            "source": done.source,
            "resumed_bytes": done.resumed_bytes,
            "confirmed": True,
        }
        sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False)}\n")
    key = "pull.here" if done.source == str(done.path) else "pull.done"
    _narrate(words.say(key, name=pull.artifact.id, megabytes=megabytes(done.size)))
    return ExitCode.DONE


def _free(folder: Path) -> int:
    """Return the free bytes of the disk where `folder` is, or will be."""
    here = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(here).free


def _narrate(text: str) -> None:
    sys.stderr.write(f"{text}\n")
