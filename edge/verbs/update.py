"""`amauta update`: take a newer release from a stick, a folder or a mirror, look what would come, or go back."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.command_line import ExitCode, narrate
from edge.release.part import SPARE_BYTES, megabytes
from edge.settings import Settings
from edge.update.errors import UpdateError
from edge.update.mochila import find, release_folder
from edge.update.places import Releases
from edge.words import Words, words_for

if TYPE_CHECKING:
    from edge.release.trust import Trusted
    from edge.update.install import Done, Prepared


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `update`."""
    parser.add_argument("--from", dest="source", metavar="DIR|URL", default="", help=words.say("verbs.update.from"))
    deeds = parser.add_mutually_exclusive_group()
    deeds.add_argument("--check", action="store_true", help=words.say("verbs.update.check"))
    deeds.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    deeds.add_argument("--back", action="store_true", help=words.say("verbs.update.back"))
    deeds.add_argument("--status", action="store_true", help=words.say("verbs.update.status"))
    parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the releases of this device."""
    words = words_for("edge", settings.spoken_lang)
    if args.status:
        return _status(settings.home, args.json, words)
    if args.back:
        return _back(settings.home, args.json, words)
    from edge.release.trust import open_release
    from edge.update.install import for_this_device, prepare, state_of

    where = source(args.source)
    trusted = open_release(where, settings.home, None, datetime.now(UTC))
    contents = for_this_device(trusted.contents)
    state = state_of(settings.home, contents.number)
    facts = {"source": str(where), "number": contents.number, "version": contents.version, "state": state}
    signed, expires = trusted.signed.isoformat(), trusted.expires.date().isoformat()
    facts |= {"signed": signed, "expires": expires}
    narrate(words, "update.signed", signed=signed, expires=expires)
    if args.check:
        _answer(args.json, facts)
        narrate(words, f"update.{state}", number=contents.number, version=contents.version)
        return ExitCode.DONE
    if args.dry_run:
        prepared = prepare(settings.home, contents)
        _answer(args.json, facts | _figures(prepared))
        _tell(prepared, words)
        return ExitCode.DONE
    return _install(settings.home, trusted, facts, args.json, words)


def source(given: str) -> Path | str:
    """Return where the release is: what was named, or the first stick that holds one."""
    if "://" in given:
        return given
    if not given:
        if sticks := find(os.environ):
            return sticks[0]
        raise UpdateError("update-none")
    folder = release_folder(Path(given))
    if folder is None:
        raise UpdateError("update-folder", path=given[:200])
    return folder


def _install(home: Path, trusted: Trusted, facts: dict[str, Any], as_json: bool, words: Words) -> int:
    from edge.update.install import for_this_device, install
    from edge.verbs.pull import Bar, Lines

    watch = Bar(words, sys.stderr) if sys.stderr.isatty() else Lines(words, sys.stderr)

    def ready(prepared: Prepared) -> None:
        _tell(prepared, words)

    contents = for_this_device(trusted.contents)
    if len(contents.files) < len(trusted.contents.files):
        narrate(words, "update.part")
    try:
        done = install(home, contents, trusted.part, watch.moved, ready)
    except KeyboardInterrupt:
        narrate(words, "update.stopped")
        raise
    _answer(as_json, facts | {"before": done.before, "brought_bytes": done.brought, "changed": done.changed})
    _say_done(done, contents.version, words)
    return ExitCode.DONE


def _say_done(done: Done, version: str, words: Words) -> None:
    if not done.changed:
        narrate(words, "update.same", number=done.number, version=version)
        return
    narrate(words, "update.done", number=done.number, version=version, brought=megabytes(done.brought))
    narrate(words, "update.kept" if done.before else "update.kept-app", before=done.before)


def _status(home: Path, as_json: bool, words: Words) -> int:
    from edge.update.receipt import read_receipt

    releases = Releases.of(home)
    pointer, trial, (failed, _) = releases.pointer(), releases.trial(), releases.failed()
    contents = read_receipt(releases, pointer.number)
    version = contents.version if contents else ""
    facts = {
        "number": pointer.number,
        "version": version,
        "before": pointer.before,
        "trial_starts": trial.starts if trial else None,
        "failed": failed,
        "files": len(contents.files) if contents else 0,
        "size": sum(file.size for file in contents.files) if contents else 0,
    }
    _answer(as_json, facts)
    if not as_json:
        key = "update.in-use" if pointer.number else "update.in-use-app"
        sys.stdout.write(f"{words.say(key, number=pointer.number, version=version)}\n")
        if trial:
            sys.stdout.write(f"{words.say('update.on-trial', starts=trial.starts)}\n")
        if failed:
            sys.stdout.write(f"{words.say('update.failed', number=failed)}\n")
    return ExitCode.DONE


def _back(home: Path, as_json: bool, words: Words) -> int:
    from edge.update.errors import disk_error
    from edge.update.switch import alone, go_back

    releases = Releases.of(home)
    try:
        with alone(releases):
            pointer = releases.pointer()
            if pointer.number == 0:
                raise UpdateError("update-no-way-back")
            go_back(releases, pointer.before)
    except OSError as error:
        raise disk_error(error, releases.folder) from error
    _answer(as_json, {"number": pointer.before, "left": pointer.number})
    key = "update.back" if pointer.before else "update.back-app"
    narrate(words, key, number=pointer.before, left=pointer.number)
    return ExitCode.DONE


def _figures(prepared: Prepared) -> dict[str, Any]:
    return {
        "moved_bytes": prepared.plan.moved,
        "kept_bytes": prepared.plan.kept,
        "total_bytes": prepared.plan.size,
        "needed_bytes": prepared.needed + SPARE_BYTES,
        "free_bytes": prepared.free,
        "fits": prepared.fits,
        "files": [
            {"path": step.file.path, "size": step.file.size, "way": step.way, "moved": step.moved}
            for step in prepared.plan.steps
        ],
    }


def _tell(prepared: Prepared, words: Words) -> None:
    made = prepared.plan
    narrate(words, "update.plan", number=made.contents.number, version=made.contents.version, count=len(made.steps))
    narrate(words, "update.bytes", moved=made.moved, megabytes=megabytes(made.moved), total=megabytes(made.size))
    need = prepared.needed + SPARE_BYTES
    narrate(words, "update.room", need=megabytes(need), free=megabytes(prepared.free))
    if not prepared.fits:
        narrate(words, "update.no-room")


def _answer(as_json: bool, facts: dict[str, Any]) -> None:
    if as_json:
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False)}\n")
