"""`amauta-kit freeze`: one folder with the whole app, for machines without Python."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edge.command_line import ExitCode
from edge.settings import Settings
from edge.words import Words


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `freeze`."""
    out = Path("build/freeze")
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=words.say("freeze.help-out", out=out))
    parser.add_argument("--root", metavar="ROOT.json", type=Path, help=words.say("freeze.help-root"))
    parser.add_argument("--old-glibc", action="store_true", help=words.say("freeze.help-old"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Build the folder and its zip, and say where they are."""

    def say(step: str) -> None:
        sys.stderr.write(f"{words.say(f'freeze.step-{step}')}\n")

    if args.old_glibc:
        from devkit.freeze.old_glibc import freeze_old

        done = freeze_old(args.out, args.root, say)
    else:
        from devkit.freeze.build import freeze

        done = freeze(args.out, args.root, words.say("freeze.notices"), say)
    if args.json:
        facts = {"folder": str(done.folder), "zip": str(done.pack), "size": done.size}
        sys.stdout.write(f"{json.dumps({**facts, 'glibc': done.glibc, 'platform': done.platform})}\n")
        return ExitCode.DONE
    needs = words.say("freeze.glibc", glibc=done.glibc) if done.glibc else ""
    packed = f"{done.pack.stat().st_size / 1e6:.1f}"
    size = f"{done.size / 1e6:.1f}"
    sys.stdout.write(
        f"{words.say('freeze.done', folder=done.folder, size=size, pack=done.pack.name, packed=packed)} {needs}\n"
    )
    return ExitCode.DONE
