"""`amauta-kit laptop`: what a laptop needs and can hold, without copying anything."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from devkit.errors import KitError
from devkit.laptop import LEAST_RAM_MB, Row, rows_for
from edge.command_line import ExitCode
from edge.device import ram_mb
from edge.library.folder import EMBEDDED, pack_folders, read_head
from edge.release.manifest import embedded_release
from edge.settings import Settings
from edge.words import Words


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `laptop`."""
    parser.add_argument("--ram-mb", metavar="N", type=int, default=None, help=words.say("kit.help-ram"))
    parser.add_argument("--lang", metavar="L", default=words.lang, help=words.say("kit.help-lang"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Print what goes on a laptop of this memory."""
    memory = ram_mb() if args.ram_mb is None else args.ram_mb
    heads = [read_head(folder, []) for folder in pack_folders(EMBEDDED)]
    spoken = sorted({pack.lang for pack in heads})
    if args.lang not in spoken:
        raise KitError("lang-without-lessons", lang=args.lang[:20], choices=", ".join(spoken))
    if memory < LEAST_RAM_MB:
        raise KitError("ram-small", ram=memory, least=LEAST_RAM_MB)
    rows = rows_for(embedded_release(), [(pack.id, pack.lang, pack.folder) for pack in heads], args.lang, memory)
    if args.json:
        sys.stdout.write(f"{json.dumps([asdict(row) for row in rows])}\n")
        return ExitCode.DONE
    for row in rows:
        sys.stdout.write(f"{_line(row, words)}\n")
    more = sum(row.size for row in rows if not row.embedded)
    size = _megabytes(sum(row.size for row in rows))
    sys.stderr.write(f"{words.say('kit.total', size=size, ram=memory, more=_megabytes(more))}\n")
    return ExitCode.DONE


def _line(row: Row, words: Words) -> str:
    note = "here" if row.embedded else "there" if row.verified else "unproved"
    return words.say(
        "kit.row",
        what=words.say(f"kit.{row.what}"),
        name=row.name,
        size=_megabytes(row.size),
        note=words.say(f"kit.{note}"),
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
