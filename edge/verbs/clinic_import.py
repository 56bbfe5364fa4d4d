"""`amauta clinic import`: an XLSForm becomes a decision table, or every cell that stands in the way is named."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.command_line import ExitCode, answer, narrate
from edge.files import write_atomic
from edge.settings import Settings
from edge.triage.errors import TriageError
from edge.triage.shelf import own_folder
from edge.triage.workbook import read_workbook
from edge.triage.xlsform_read import import_form
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic import`."""
    parser.add_argument("file", metavar="FILE.xlsx", type=Path, help=words.say("verbs.clinic.import-file"))
    parser.add_argument("--out", metavar="FILE.toml", type=Path, help=words.say("verbs.clinic.import-out"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the table to a file or to stdout; nothing is written of a form with a fault."""
    words = words_for("edge", settings.spoken_lang)
    pages = read_workbook(args.file)
    lines = pages["settings"].lines if "settings" in pages else ()
    name = lines[0].cells.get("form_id", "") if lines else ""
    made = import_form(pages, args.out or Path(f"{name}.toml"))
    table = made.table
    faults = [{"cell": one.cell, "key": one.key, "say": one.say(words.lang)} for one in made.faults]
    if table is None:
        answer(args, {"table": name, "faults": faults})
        for fault in () if args.json else faults:
            sys.stdout.write(f"{fault['say']}\n")
        narrate(words, "clinic.failed", path=args.file, count=len(faults))
        return ExitCode.REFUSED
    if args.out:
        try:
            write_atomic(args.out, made.toml.encode())
        except OSError as error:
            raise TriageError("xlsform-write", path=args.out, reason=error.strerror or str(error)) from error
    facts = {"table": table.id, "version": table.version, "sha256": table.sha256}
    path = str(args.out) if args.out else None
    answer(args, {**facts, "path": path, "toml": None if args.out else made.toml, "faults": []})
    if not args.out and not args.json:
        sys.stdout.write(made.toml)
    if made.was_approved:
        narrate(words, "clinic.import-approval", by=made.was_approved)
    counts = {"inputs": len(table.inputs), "rows": len(table.rows)}
    narrate(words, "clinic.imported", table=table.id, **counts)
    if not args.out:
        narrate(words, "clinic.import-use", path=own_folder(settings) / f"{table.id}.toml")
    return ExitCode.DONE
