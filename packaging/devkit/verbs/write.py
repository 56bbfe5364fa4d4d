"""`amauta-kit write`: put the sticks of a plan, or one image, on the disks the technician names."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from devkit.disks.attached import attached_disks
from devkit.disks.choice import Rules, candidates, choose, confirms, gigabytes, proofs
from devkit.disks.disk import Disk
from devkit.errors import KitError
from devkit.site.saved import Plan, load
from devkit.stick import DataStick, ImageStick, PlannedFile, Stick
from devkit.write.assign import assign
from devkit.write.board import Bars, Lines
from devkit.write.crew import write_all
from devkit.write.job import Job, Means, Outcome
from devkit.write.journal import unfinished
from devkit.write.receipt import receipts_in
from devkit.write.source import Source, image_source
from edge.command_line import ExitCode
from edge.files import sha256_of
from edge.settings import Settings
from edge.words import Value, Words

REPEATED = ("disk", "serial", "stick")
FOLDERS = ("receipts", "work")
SWITCHES = ("list", "dry-run", "json", "no-paper", "allow-large", "allow-loop")


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `write`."""
    parser.add_argument("plan", metavar="PLAN.json", type=Path, nargs="?", help=words.say("write.help.plan"))
    parser.add_argument("--image", metavar="FILE", type=Path, help=words.say("write.help.image"))
    parser.add_argument("--bmap", metavar="FILE", type=Path, help=words.say("write.help.bmap"))
    for name in REPEATED:
        help_text = words.say(f"write.help.{name}")
        parser.add_argument(f"--{name}", metavar=name.upper(), action="append", default=[], help=help_text)
    for name in FOLDERS:
        parser.add_argument(f"--{name}", metavar="DIR", type=Path, help=words.say(f"write.help.{name}"))
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true", help=words.say(f"write.help.{name}"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Choose, confirm, write, verify; exit 1 unless every stick was found right."""
    rules = Rules(allow_loop=args.allow_loop, allow_large=args.allow_large)
    if args.list:
        return _list(rules, words, as_json=args.json)
    plan, beside = _planned(args)
    receipts = args.receipts or beside / "receipts"
    if not args.disk:
        free = ", ".join(disk.path for disk in candidates(attached_disks(), rules)) or "-"
        raise KitError("write-no-disk", free=free)
    attached = attached_disks()
    disks = [choose(attached, path, rules) for path in args.disk]
    done = {receipt.stick for receipt in receipts_in(receipts)}
    # One image goes on as many sticks as there are disks, whatever was written before.
    pairs = (
        [(replace(stick, name=f"{stick.name}-{disk.serial or disk.size}"), disk) for disk in disks]
        if args.image and isinstance(stick := plan.sticks[0], ImageStick)
        else assign(plan.sticks, disks, args.stick, done, unfinished(receipts))
    )
    pairs = [(stick, choose(attached, disk.path, _needing(rules, stick))) for stick, disk in pairs]
    for stick, disk in pairs:
        _say(words, "write.will", stick=stick.name, disk=disk.path, about=about(disk, words))
    if args.dry_run:
        return _dry(pairs, words, as_json=args.json)
    _confirm([disk for _, disk in pairs], args.serial, words)
    plan_sha256 = sha256_of(args.plan) if args.plan else ""
    jobs = [
        Job(stick, disk, _source(stick, disk, args, beside, words), plan.site, plan.lang, rules, plan_sha256)
        for stick, disk in pairs
    ]
    means = Means(receipts, threading.Event(), os.urandom(16), lambda: datetime.now(UTC))
    paint = Bars(words, sys.stderr) if sys.stderr.isatty() else Lines(words, sys.stderr)
    outcomes = write_all(jobs, means, paint)
    try:
        # The sticks are right all the same; what goes wrong from here on is only told.
        if not args.no_paper:
            _print_papers(outcomes, receipts, plan.lang, words)
        if args.plan:
            _tidy(plan, receipts, args.work or beside / "composed")
    except KitError as error:
        sys.stderr.write(f"{error.say(words.lang)}\n")
    return _answer(outcomes, words, as_json=args.json)


def _planned(args: argparse.Namespace) -> tuple[Plan, Path]:
    """Return the plan, and the folder that receipts and composed sticks are kept in."""
    if (args.plan is None) == (args.image is None):
        raise KitError("write-what")
    if args.bmap is not None and args.image is None:
        raise KitError("write-bmap-alone")
    if args.plan is not None:
        return load(args.plan), args.plan.absolute().parent
    try:
        size = args.image.stat().st_size
    except OSError as error:
        raise KitError("source-unreadable", file=args.image, reason=error.strerror or str(error)) from error
    image = PlannedFile(args.image.name, size, "", args.image)
    return Plan("", "", (ImageStick(args.image.stem, image, args.bmap),)), args.image.absolute().parent


def _needing(rules: Rules, stick: Stick) -> Rules:
    from devkit.compose.layout import needed_bytes

    need = needed_bytes(stick) if isinstance(stick, DataStick) else stick.image.size
    return Rules(need, rules.allow_loop, rules.allow_large)


def _source(stick: Stick, disk: Disk, args: argparse.Namespace, beside: Path, words: Words) -> Source:
    if isinstance(stick, ImageStick):
        return image_source(stick.image.source, stick.bmap, stick.image.sha256)
    from devkit.compose.image import compose

    said: set[str] = set()

    def moved(phase: str, done: int, total: int) -> None:
        if phase not in said:
            said.add(phase)
            _say(words, f"write.compose.{phase}", stick=stick.name, size=gigabytes(total))

    return compose(stick, disk.size, args.work or beside / "composed", moved)


def _confirm(disks: Sequence[Disk], serials: Sequence[str], words: Words) -> None:
    """Let the technician show that these very disks are meant; raise KitError at the first that is not."""
    if serials and len(serials) != len(disks):
        raise KitError("write-serials", serials=len(serials), disks=len(disks))
    for at, disk in enumerate(disks):
        if serials:
            typed = serials[at]
        else:
            sys.stderr.write(
                words.say("write.ask", disk=disk.path, about=about(disk, words), proofs=" / ".join(proofs(disk)))
            )
            sys.stderr.flush()
            typed = sys.stdin.readline()
        if not confirms(disk, typed):
            raise KitError("write-unconfirmed", disk=disk.path, typed=typed.strip()[:60] or "-")


def about(disk: Disk, words: Words) -> str:
    """Return what a person knows a disk by."""
    labels = ", ".join(disk.labels) or "-"
    return words.say(
        "write.about", model=disk.model or "?", size=gigabytes(disk.size), serial=disk.serial or "-", labels=labels
    )


def _list(rules: Rules, words: Words, *, as_json: bool) -> int:
    found = candidates(attached_disks(), rules)
    if as_json:
        rows = [
            {"path": d.path, "model": d.model, "size": d.size, "serial": d.serial, "labels": d.labels} for d in found
        ]
        sys.stdout.write(f"{json.dumps({'disks': rows}, ensure_ascii=False)}\n")
        return ExitCode.DONE
    for disk in found:
        sys.stdout.write(f"{disk.path}  {about(disk, words)}\n")
    if not found:
        _say(words, "write.none")
    return ExitCode.DONE


def _dry(pairs: Sequence[tuple[Stick, Disk]], words: Words, *, as_json: bool) -> int:
    if as_json:
        rows = [{"stick": stick.name, "disk": disk.path, "serial": disk.serial} for stick, disk in pairs]
        sys.stdout.write(f"{json.dumps({'sticks': rows, 'dry_run': True}, ensure_ascii=False)}\n")
    _say(words, "write.dry")
    return ExitCode.DONE


def _print_papers(outcomes: Sequence[Outcome], receipts: Path, lang: str, words: Words) -> None:
    from devkit.paper.print import print_papers

    made = [outcome.receipt for outcome in outcomes if outcome.receipt]
    for path in print_papers(made, receipts, lang or words.lang, None) if made else ():
        _say(words, "write.paper", file=path)


def _tidy(plan: Plan, receipts: Path, work: Path) -> None:
    """Once the whole plan is written, what was composed for it has served."""
    from devkit.compose.image import forget

    if {stick.name for stick in plan.sticks} <= {receipt.stick for receipt in receipts_in(receipts)}:
        forget(work)


def _answer(outcomes: Sequence[Outcome], words: Words, *, as_json: bool) -> int:
    rows = []
    for outcome in outcomes:
        job, receipt, error = outcome.job, outcome.receipt, outcome.error
        why = error.say(words.lang) if error else ""
        place = str(receipt.path) if receipt else None
        rows.append({"stick": job.stick.name, "disk": job.disk.path, "serial": job.disk.serial, "receipt": place,
                     "result": "verified" if receipt else "failed", "error": error.key if error else None, "why": why})  # fmt: skip
        if not as_json:
            line = words.say(
                "write.good" if receipt else "write.bad", stick=job.stick.name, disk=job.disk.path, what=place or why
            )
            (sys.stdout if receipt else sys.stderr).write(f"{line}\n")
    if as_json:
        sys.stdout.write(f"{json.dumps({'sticks': rows}, ensure_ascii=False)}\n")
    return ExitCode.DONE if all(outcome.receipt for outcome in outcomes) else ExitCode.REFUSED


def _say(words: Words, key: str, **facts: Value) -> None:
    sys.stderr.write(f"{words.say(key, **facts)}\n")
    sys.stderr.flush()
