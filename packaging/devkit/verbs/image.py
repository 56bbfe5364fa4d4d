"""`amauta-kit image`: a stick that starts a computer right into the tutor."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from devkit.errors import KitError
from edge.command_line import ExitCode
from edge.settings import Settings
from edge.words import Words

ARCHES = ("amd64", "arm64")
KEYBOARDS = ("es", "pt")


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `image`."""
    parser.add_argument("--app", metavar="DIR", type=Path, required=True, help=words.say("image.help-app"))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=words.say("image.help-out"))
    parser.add_argument("--lang", choices=KEYBOARDS, default=KEYBOARDS[0], help=words.say("image.help-lang"))
    parser.add_argument("--encrypt", action="store_true", help=words.say("image.help-encrypt"))
    parser.add_argument("--arch", choices=ARCHES, default=ARCHES[0], help=words.say("image.help-arch"))
    parser.add_argument("--dry-run", action="store_true", help=words.say("image.help-dry"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Make the image, or say what would be made."""
    from devkit.image import layers
    from devkit.image.build import Wanted, build, plan

    if args.arch != ARCHES[0]:
        if not args.dry_run:
            raise KitError("image-arm")
        _print({"arch": args.arch, "packages": layers.packages(args.arch)}, "\n".join(layers.packages(args.arch)), args)
        return ExitCode.DONE
    wanted = Wanted(args.app, args.out, args.lang, args.encrypt)
    if args.dry_run:
        planned, asked = plan(wanted), layers.packages(args.arch)
        base = words.say("image.ready") if planned.base_ready else words.say("image.to-make", count=len(asked))
        facts = {"image": str(planned.image), "version": planned.version, "base_ready": planned.base_ready}
        said = words.say("image.would", image=planned.image, version=planned.version, base=base)
        _print({**facts, "packages": asked}, said, args)
        return ExitCode.DONE
    done = build(wanted, lambda step: print(words.say(f"image.step-{step}"), file=sys.stderr))
    size = f"{done.image.stat().st_size / 1e6:.0f}"
    bmap = done.image.with_suffix(".bmap")
    facts = {**done.facts, "image": str(done.image), "bmap": str(bmap), "receipt": str(done.receipt)}
    _print(facts, words.say("image.done", image=done.image, size=size, bmap=bmap), args)
    return ExitCode.DONE


def _print(facts: dict[str, object], said: str, args: argparse.Namespace) -> None:
    sys.stdout.write(f"{json.dumps(facts) if args.json else said}\n")
