"""`amauta-kit fleet`: the receipts of a district in one table."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from devkit.errors import KitError
from devkit.fleet.collect import collect, files_of
from devkit.fleet.sheet import sheet, sums
from edge.command_line import ExitCode
from edge.files import write_atomic
from edge.release.part import megabytes
from edge.settings import Settings
from edge.words import Value, Words


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `fleet`."""
    parser.add_argument("receipts", metavar="RECEIPT", nargs="+", type=Path, help=words.say("fleet.help-receipts"))
    parser.add_argument("--out", metavar="FILE.csv", type=Path, required=True, help=words.say("fleet.help-out"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Write the table; name what was noticed and what was left out."""
    fleet = collect(files_of(args.receipts))
    for key, values in fleet.notes:
        sys.stderr.write(f"{words.say(f'fleet.note.{key}', **values)}\n")
    for error in fleet.refused:
        sys.stderr.write(f"{error.say(words.lang)}\n")
    write_file(args.out, sheet(fleet, words))
    whole = sums(fleet)
    if args.json:
        answer = {**asdict(whole), "refused": len(fleet.refused), "noticed": [key for key, _ in fleet.notes]}
        sys.stdout.write(f"{json.dumps(answer)}\n")
    facts = {name: value for name, value in asdict(whole).items() if name not in ("written_bytes", "minutes")}
    amounts: dict[str, Value] = {
        "size": megabytes(whole.written_bytes),
        "minutes": f"{whole.minutes:.0f}",
        "refused": len(fleet.refused),
    }
    sys.stderr.write(f"{words.say('fleet.sum', path=args.out, **facts, **amounts)}\n")
    return ExitCode.REFUSED if fleet.refused else ExitCode.DONE


def write_file(path: Path, content: bytes) -> None:
    """Write a table; raise KitError when it cannot be written."""
    try:
        if not path.absolute().parent.is_dir():
            # A folder written wrongly must not appear by itself.
            raise FileNotFoundError(2, "No such file or directory")
        write_atomic(path, content)
    except OSError as error:
        raise KitError("fleet-unwritable", path=path, reason=error.strerror or str(error)) from error
