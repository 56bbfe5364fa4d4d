"""`amauta clinic`: the decision tables of the guideline, seen, checked and used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge.command_line import ExitCode, answer
from edge.library.pack import Complaint
from edge.settings import Settings
from edge.triage.check import check
from edge.triage.parts import Table, in_language
from edge.triage.shelf import table_files
from edge.triage.table import read, read_table
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="tables|check")
    listing = actions.add_parser("tables", help=words.say("verbs.clinic.tables"))
    checking = actions.add_parser("check", help=words.say("verbs.clinic.check"))
    checking.add_argument("files", metavar="FILE", type=Path, nargs="*", help=words.say("verbs.clinic.files"))
    for action in (listing, checking):
        action.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the tables."""
    words = words_for("edge", settings.spoken_lang)
    return {"tables": _list, "check": _check}[args.action](args, settings, words)


def approval_of(table: Table, words: Words) -> str:
    """Say who approved a table, or that nobody has."""
    if table.approval is None:
        return words.say("clinic.pending")
    return words.say("clinic.approved", by=table.approval.by, on=table.approval.on.isoformat())


def _list(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    tables = [read_table(path) for path in table_files(settings)]
    answer(args, {"tables": [_facts(table, words) for table in tables]})
    for table in () if args.json else tables:
        facts = {name: str(value) for name, value in _facts(table, words).items()}
        row = words.say("clinic.row", table=table.id, **{name: facts[name] for name in ("title", "who", "version")},
                        approval=approval_of(table, words))  # fmt: skip
        sys.stdout.write(f"{row}\n")
    return ExitCode.DONE


def _facts(table: Table, words: Words) -> dict[str, Any]:
    return {
        "id": table.id,
        "version": table.version,
        "sha256": table.sha256,
        "title": in_language(table.title, words.lang),
        "who": in_language(table.who, words.lang),
        "approved": table.approval is not None,
        "path": str(table.path),
    }


def _check(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    found = []
    for path in args.files or table_files(settings):
        table, complaints = read(path)
        if table is not None and not complaints:
            complaints = check(table)
        found.append({"path": str(path), "complaints": [_row(one, words) for one in complaints]})
        if not args.json:
            _tell(path, table, complaints, words)
    answer(args, {"tables": found})
    return ExitCode.REFUSED if any(one["complaints"] for one in found) else ExitCode.DONE


def _tell(path: Path, table: Table | None, complaints: list[Complaint], words: Words) -> None:
    if complaints or table is None:
        sys.stdout.write("".join(f"{one.say(words.lang)}\n" for one in complaints))
        sys.stderr.write(f"{words.say('clinic.failed', path=path, count=len(complaints))}\n")
    else:
        counts = {"inputs": len(table.inputs), "rows": len(table.rows)}
        sys.stderr.write(f"{words.say('clinic.fine', path=path, **counts)}\n")


def _row(one: Complaint, words: Words) -> dict[str, str | int]:
    return {"line": one.line, "key": one.key, "say": one.say(words.lang)}
