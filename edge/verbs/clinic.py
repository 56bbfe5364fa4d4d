"""`amauta clinic`: the decision tables of the guideline, seen, checked and used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.command_line import ExitCode, answer, narrate
from edge.files import write_atomic
from edge.library.pack import Complaint
from edge.settings import Settings
from edge.triage.check import check
from edge.triage.errors import TriageError
from edge.triage.parts import Input, Table, in_language
from edge.triage.proof import prove
from edge.triage.say import approval_of, unit_of
from edge.triage.shelf import find_table, table_files
from edge.triage.table import read, read_table
from edge.triage.xlsform import as_xlsx, sheets
from edge.verbs import clinic_decide, clinic_import, clinic_numbers, clinic_overlay, clinic_records, clinic_vaccines
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic`."""
    metavar = "tables|check|decide|xlsform|import|overlay|numbers|vaccines"
    every = "|".join((metavar, *clinic_records.ACTIONS))
    actions = parser.add_subparsers(dest="action", required=True, metavar=every)
    clinic_records.configure(actions, words)
    added = {name: actions.add_parser(name, help=words.say(f"verbs.clinic.{name}")) for name in metavar.split("|")}
    added["tables"].add_argument("table", metavar="TABLE", nargs="?", help=words.say("verbs.clinic.one"))
    added["check"].add_argument("files", metavar="FILE", type=Path, nargs="*", help=words.say("verbs.clinic.files"))
    clinic_decide.configure(added["decide"], words)
    clinic_vaccines.configure(added["vaccines"], words)
    added["xlsform"].add_argument("table", metavar="TABLE", help=words.say("verbs.clinic.table"))
    added["xlsform"].add_argument("out", metavar="FILE", type=Path, help=words.say("verbs.clinic.out"))
    clinic_import.configure(added["import"], words)
    clinic_overlay.configure(added["overlay"], words)
    clinic_numbers.configure(added["numbers"], words)
    for action in added.values():
        action.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the tables."""
    words = words_for("edge", settings.spoken_lang)
    if args.action in clinic_records.ACTIONS:
        return clinic_records.run(args, settings)
    others: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "decide": clinic_decide.run,
        "import": clinic_import.run,
        "numbers": clinic_numbers.run,
        "overlay": clinic_overlay.run,
        "vaccines": clinic_vaccines.run,
    }
    if args.action in others:
        return others[args.action](args, settings)
    return {"tables": _list, "check": _check, "xlsform": _xlsform}[args.action](args, settings, words)


def _list(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    tables = [find_table(args.table, settings)] if args.table else list(map(read_table, table_files(settings)))
    answer(args, {"tables": [_facts(table, words, whole=bool(args.table)) for table in tables]})
    for table in () if args.json else tables:
        facts = {name: in_language(text, words.lang) for name, text in (("title", table.title), ("who", table.who))}
        row = words.say(
            "clinic.row", table=table.id, version=table.version, approval=approval_of(table, words), **facts
        )
        sys.stdout.write(f"{row}\n")
        for one in table.inputs if args.table else ():
            asked = {"name": one.id, "ask": in_language(one.ask, words.lang), "answers": _answers(one, words)}
            sys.stdout.write(f"{words.say('clinic.question', **asked)}\n")
    return ExitCode.DONE


def _answers(one: Input, words: Words) -> str:
    measured = (f"{one.least}-{one.most} {unit_of(one, words)}",) if one.unit else ()
    return " | ".join((*measured, *one.values()))


def _facts(table: Table, words: Words, whole: bool) -> dict[str, Any]:
    facts = {
        "id": table.id,
        "version": table.version,
        "sha256": table.sha256,
        "title": in_language(table.title, words.lang),
        "who": in_language(table.who, words.lang),
        "approved": table.approval is not None,
        "approval": approval_of(table, words),
        "path": str(table.path),
    }
    return facts | ({"inputs": [_input(one, words) for one in table.inputs]} if whole else {})


def _input(one: Input, words: Words) -> dict[str, Any]:
    asked = {"id": one.id, "kind": one.kind, "danger": one.danger, "ask": in_language(one.ask, words.lang)}
    measured = (
        {"unit": one.unit, "min": str(one.least), "max": str(one.most), "step": str(one.step)} if one.unit else {}
    )
    return asked | measured | {"values": list(one.values())}


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
        facts = {
            "inputs": len(table.inputs),
            "rows": len(table.rows),
            "combinations": prove(table).diagram.combinations,
        }
        sys.stderr.write(f"{words.say('clinic.fine', path=path, **facts)}\n")


def _xlsform(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    table = find_table(args.table, settings)
    content = as_xlsx(sheets(table))
    try:
        write_atomic(args.out, content)
    except OSError as error:
        raise TriageError("xlsform-write", path=args.out, reason=error.strerror or str(error)) from error
    answer(args, {"table": table.id, "version": table.version, "path": str(args.out)})
    counts = {"inputs": len(table.inputs), "rows": len(table.rows)}
    narrate(words, "clinic.exported", path=args.out, approval=approval_of(table, words), **counts)
    return ExitCode.DONE


def _row(one: Complaint, words: Words) -> dict[str, str | int]:
    return {"line": one.line, "key": one.key, "say": one.say(words.lang)}
