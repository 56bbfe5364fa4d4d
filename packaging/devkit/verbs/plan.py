"""`amauta-kit plan`: from a site file to the exact files of every stick, before anything is written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from devkit.depot import Depot
from devkit.depot.catalogue import read_catalogue
from devkit.depot.mending import command
from devkit.errors import KitError
from devkit.site.pace import WRITE_MB_S, Pace, pace
from devkit.site.planning import Planning, as_json, plan_site
from devkit.site.saved import save
from edge import __version__
from edge.command_line import ExitCode
from edge.release.part import megabytes
from edge.settings import Settings
from edge.words import Value, Words

AT_ONCE, MOST_AT_ONCE = 4, 64
RECEIPTS = "receipts"
"""Where `write` leaves them, beside the plan."""


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `plan`."""
    parser.add_argument("site", metavar="SITE.toml", type=Path, help=words.say("plan.help-site"))
    parser.add_argument("--check", action="store_true", help=words.say("plan.help-check"))
    parser.add_argument("--depot", metavar="DIR", type=Path, help=words.say("depot.help-depot"))
    parser.add_argument("--manifest", metavar="FILE", type=Path, help=words.say("depot.help-manifest"))
    parser.add_argument("--out", metavar="FILE", type=Path, help=words.say("plan.help-out"))
    rate = words.say("plan.help-rate", rate=WRITE_MB_S)
    parser.add_argument("--rate", metavar="MB/s", help=rate)
    parser.add_argument("--at-once", metavar="N", type=int, default=AT_ONCE, help=words.say("plan.help-at-once"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Plan a site, or say everything that stands in the way."""
    if not 1 <= args.at_once <= MOST_AT_ONCE:
        raise KitError("depot-at-once", value=args.at_once, most=MOST_AT_ONCE)
    depot = Depot(args.depot or settings.home / "depot")
    out = args.out or args.site.with_suffix(".plan.json")
    speed = pace(args.rate, args.at_once, out.absolute().parent / RECEIPTS)
    release = read_catalogue(args.manifest)
    planning = plan_site(args.site, depot, release, __version__, out, speed, write=not args.check)
    where = str(args.depot) if args.depot else None
    commands = {need.name: command(need.kind, need.name, release, where) for need in planning.needs}
    if args.json:
        sys.stdout.write(f"{as_json(planning, commands)}\n")
    _narrate(planning, commands, speed, words)
    if planning.plan is None:
        return ExitCode.REFUSED
    if args.check:
        sys.stderr.write(f"{words.say('plan.sound', path=args.site)}\n")
        return ExitCode.DONE
    save(planning.plan, out)
    if not args.json:
        for stick in planning.plan.sticks:
            sys.stdout.write(f"{stick.name}\n")
    sys.stderr.write(f"{words.say('plan.saved', path=out)}\n")
    return ExitCode.DONE


def _narrate(planning: Planning, commands: dict[str, str], speed: Pace, words: Words) -> None:
    """Say what was chosen and why, what is wrong, what is missing, and what it costs."""
    lines = [problem.say(words) for problem in planning.problems]
    if planning.problems:
        lines.append(words.say("plan.problems", count=len(planning.problems)))
    elif planning.decision is not None:
        lines += [words.say(f"plan.why.{key}", **values) for key, values in planning.decision.reasons]
    for need in planning.needs:
        kind = words.say(f"depot.kind-{need.kind}")
        key = "plan.missing" if need.required else "plan.missing-optional"
        lines.append(words.say(key, kind=kind, name=need.name, command=commands[need.name]))
    if planning.cost is not None and planning.plan is not None:
        lines += _sums(planning, speed, words)
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _sums(planning: Planning, speed: Pace, words: Words) -> list[str]:
    spent, count = planning.cost, len(planning.plan.sticks) if planning.plan else 0
    if spent is None:
        return []
    key = "measured" if speed.measured else "assumed"
    rates: dict[str, Value] = {"rate": f"{speed.write_mb_s:.3g}", "back": f"{speed.read_mb_s:.3g}"}
    times: dict[str, Value] = {"one": f"{spent.stick_minutes:.1f}", "whole": f"{spent.total_minutes:.1f}"}
    return [
        words.say("plan.filesystem", filesystem=planning.filesystem.upper() or words.say("depot.kind-image")),
        words.say("plan.bytes", bytes=f"{spent.stick_bytes}", size=megabytes(spent.stick_bytes), count=count),
        words.say("plan.minutes", count=count, at_once=speed.at_once, **times),
        words.say(f"plan.{key}", count=speed.measured, **rates),
    ]
