"""`amauta-kit paper`: labels and delivery notes from receipts, once more or with what a device said."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from devkit.errors import KitError
from devkit.paper.label import SHEETS
from devkit.paper.print import print_papers
from devkit.write.receipt import read_receipt, receipts_in
from edge.command_line import ExitCode
from edge.settings import Settings
from edge.words import Words

LARGEST_DOCTOR = 1 << 20


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `paper`."""
    parser.add_argument("receipts", metavar="RECEIPT", type=Path, nargs="+", help=words.say("paper.help.receipts"))
    parser.add_argument("--doctor", metavar="FILE", type=Path, help=words.say("paper.help.doctor"))
    parser.add_argument("--out", metavar="DIR", type=Path, help=words.say("paper.help.out"))
    parser.add_argument("--lang", metavar="L", default=None, help=words.say("kit.help-lang"))
    parser.add_argument("--sheet", choices=sorted(SHEETS), default="a4", help=words.say("paper.help.sheet"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Print what was asked for."""
    found = []
    for path in args.receipts:
        found += receipts_in(path) if path.is_dir() else [read_receipt(path)]
    if not found:
        raise KitError("paper-no-receipts", folder=args.receipts[0])
    lang = args.lang or str(found[0].facts.get("lang") or words.lang)
    folder = args.out or found[0].path.parent
    made = print_papers(found, folder, lang, _doctor(args.doctor), args.sheet)
    if args.json:
        sys.stdout.write(f"{json.dumps({'papers': [str(path) for path in made]}, ensure_ascii=False)}\n")
    else:
        sys.stdout.write("".join(f"{path}\n" for path in made))
    return ExitCode.DONE


def _doctor(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        if path.stat().st_size > LARGEST_DOCTOR:
            raise KitError("paper-doctor", file=path)
        return json.loads(path.read_bytes())
    except OSError as error:
        raise KitError("receipt-unreadable", file=path, reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise KitError("paper-doctor", file=path) from error
