"""`amauta sync send`: hand over to the hub over the internet, on a line as bad as there is."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from edge.command_line import ExitCode, answer, narrate
from edge.settings import Settings
from edge.words import Words

TELL_SECONDS = 3.0
"""Shorter pauses are nothing to tell."""


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `sync send`."""
    parser.add_argument("--to", metavar="URL", default="", help=words.say("verbs.wire.to"))
    parser.add_argument("--ca", metavar="FILE", type=Path, help=words.say("verbs.wire.ca"))


def send(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Hand over everything there is; what was delivered before the line died stays delivered."""
    from edge.sync.wire import sending
    from edge.sync.wire.client import Link

    last: list[tuple[int, int]] = []

    def told(progress: sending.Progress) -> None:
        tenth = 10 * progress.done // max(progress.total, 1)
        kilobytes = {"done": -(-progress.done // 1000), "total": -(-progress.total // 1000)}
        line = words.say("wire.going", bundle=progress.bundle, bundles=progress.bundles, **kilobytes)
        if sys.stderr.isatty():
            _say(f"\r{line}\x1b[K" + ("\n" if progress.done == progress.total else ""))
        elif last[-1:] != [(progress.bundle, tenth)]:
            last.append((progress.bundle, tenth))
            _say(f"{line}\n")

    def waiting(seconds: float, reason: str) -> None:
        if seconds >= TELL_SECONDS:
            begin = "\r\x1b[K" if sys.stderr.isatty() else ""
            _say(f"{begin}{words.say('wire.waiting', reason=reason, seconds=round(seconds))}\n")

    handed = sending.send(settings, args.to, args.ca, told, partial(Link, waiting=waiting))
    refused = [{"file": file, "reason": reason} for file, reason in handed.refused]
    answer(args, {**asdict(handed), "refused": refused})
    for file, reason in handed.refused:
        said = words.say(f"wire.why.{reason}") if words.has(f"wire.why.{reason}") else reason
        narrate(words, "wire.refused", file=file, why=said)
    if handed.facts:
        kilobytes = -(-handed.bytes // 1000)
        narrate(words, "wire.sent", facts=handed.facts, files=handed.files, kilobytes=kilobytes)
    elif not handed.refused:
        narrate(words, "sync.nothing")
    if handed.acknowledged:
        narrate(words, "wire.acknowledged", count=handed.acknowledged)
    if handed.carried or handed.for_others:
        narrate(words, "wire.carried", files=handed.carried, acks=handed.for_others)
    if handed.cloned:
        narrate(words, "sync.cloned")
    return ExitCode.REFUSED if handed.refused else ExitCode.DONE


def _say(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()
