"""`amauta clinic key`, `unlock-check`, `visits`, `show`, `export`, `delete`: the clinic's records from the command line.

Each asks for the passphrase, does one thing and locks again. Without a terminal the passphrase is the first line of
standard input; it is never an argument, which other programs could read.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from edge.command_line import ExitCode, answer, narrate
from edge.files import write_atomic
from edge.records.errors import RecordsError
from edge.settings import Settings
from edge.words import Words, words_for

if TYPE_CHECKING:
    from edge.records.book import Book
    from edge.records.vault import Vault

ACTIONS = ("key", "unlock-check", "visits", "show", "export", "delete")
KEY_ACTIONS = ("new", "change", "recover", "reprint", "accept-older")
WHAT = ("patient", "fhir", "referral", "referral-text", "dhis2")


def configure(actions: Any, words: Words) -> None:
    """Add the actions of the records to those of `clinic`."""
    added = {name: actions.add_parser(name, help=words.say(f"verbs.clinic.{name}")) for name in ACTIONS}
    added["key"].add_argument("what", choices=KEY_ACTIONS, help=words.say("verbs.clinic.key-what"))
    added["visits"].add_argument("who", metavar="PATIENT", nargs="?", help=words.say("verbs.clinic.who"))
    added["show"].add_argument("visit", metavar="VISIT", help=words.say("verbs.clinic.visit"))
    added["export"].add_argument("what", choices=WHAT, help=words.say("verbs.clinic.export-what"))
    added["export"].add_argument("who", metavar="PATIENT|VISIT|MONTH", help=words.say("verbs.clinic.export-who"))
    added["export"].add_argument("out", metavar="FILE", type=Path, help=words.say("verbs.clinic.export-out"))
    added["delete"].add_argument("who", metavar="PATIENT", help=words.say("verbs.clinic.who"))
    added["delete"].add_argument("--by", metavar="NAME", required=True, help=words.say("verbs.clinic.by"))
    for name in ("export", "delete"):
        added[name].add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    for action in added.values():
        action.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the records."""
    from edge.records.book import Book
    from edge.records.file import FILE_NAME
    from edge.records.vault import Vault

    words = words_for("edge", settings.spoken_lang)
    path = settings.home / FILE_NAME
    if args.action == "key" and args.what == "new":
        recovery = Vault.create(path, _new_secret(words))
        with Vault(path, time) as vault:
            return _recovery(args, words, vault, recovery)
    with Vault(path, time) as vault:
        if args.action == "key":
            return _key(args, vault, words)
        vault.unlock(_secret(words, "ask-passphrase"))
        book = Book(vault)
        if args.action == "unlock-check":
            return _said(args, words, "opens", patients=len(book.patients()), visits=len(book.visits()))
        if args.action == "export":
            return _export(args, book, settings, words)
        return {"visits": _visits, "show": _show, "delete": _delete}[args.action](args, book, words)


def _key(args: argparse.Namespace, vault: Vault, words: Words) -> int:
    if args.what == "recover":
        vault.recover(_secret(words, "ask-recovery"), _new_secret(words))
        return _said(args, words, "passphrase-set")
    vault.unlock(_secret(words, "ask-passphrase"), older=args.what == "accept-older")
    if args.what == "reprint":
        return _recovery(args, words, vault, vault.renew_recovery())
    if args.what == "accept-older":
        return _said(args, words, "accepted-older")
    vault.change_passphrase(_new_secret(words))
    return _said(args, words, "passphrase-set")


def _visits(args: argparse.Namespace, book: Book, words: Words) -> int:
    patients = {one.id: one for one in ([book.find_patient(args.who)] if args.who else book.patients())}
    visits = [one for one in book.visits() if one.patient in patients]
    rows = [
        {
            "visit": one.id,
            "patient": one.patient,
            "name": patients[one.patient].name,
            "date": one.date,
            "state": one.state,
            "urgency": worst_urgency([run["decision"]["urgency"] for run in one.runs]),
        }
        for one in visits
    ]
    answer(args, {"visits": rows})
    for row in () if args.json else rows:
        facts = {**row, "visit": row["visit"][:8], "patient": row["patient"][:8]}
        facts["state"] = words.say(f"records.state-{row['state']}")
        facts["urgency"] = words.say(f"records.urgency-{row['urgency']}")
        sys.stdout.write(f"{words.say('records.row', **facts)}\n")
    return ExitCode.DONE


def worst_urgency(urgencies: list[str]) -> str:
    """Return the gravest of some urgencies, or `none`."""
    from edge.triage.parts import URGENCIES

    return next((urgency for urgency in URGENCIES if urgency in urgencies), "none")


def _show(args: argparse.Namespace, book: Book, words: Words) -> int:
    patient, visit = book.find(args.visit)
    facts = {"patient": {name: getattr(patient, name) for name in patient.__slots__}, "visit": visit.facts()}
    answer(args, facts)
    if not args.json:
        pending = [run for run in visit.runs if not run["table"]["approved"]]
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False, indent=2)}\n")
        if pending:
            narrate(words, "records.pending")
    return ExitCode.DONE


def _export(args: argparse.Namespace, book: Book, settings: Settings, words: Words) -> int:
    """Write what was asked into a file that anybody can read, and say so."""
    from edge.records.exports import EXPORTS

    content = EXPORTS[args.what](book, args.who, settings, words)
    if not args.dry_run:
        try:
            write_atomic(args.out, content)
        except OSError as error:
            raise RecordsError("export-write", path=args.out, reason=error.strerror or str(error)) from error
    answer(args, {"out": str(args.out), "bytes": len(content), "written": not args.dry_run})
    narrate(words, "records.would-export" if args.dry_run else "records.exported", path=args.out, bytes=len(content))
    return ExitCode.DONE


def _delete(args: argparse.Namespace, book: Book, words: Words) -> int:
    patient = book.find_patient(args.who)
    many = len(book.visits(patient.id))
    if not args.dry_run:
        book.delete(patient.id, args.by, datetime.now(UTC))
    answer(args, {"patient": patient.id, "visits": many, "deleted": not args.dry_run})
    narrate(words, "records.would-delete" if args.dry_run else "records.deleted", name=patient.name, visits=many)
    return ExitCode.DONE


def _recovery(args: argparse.Namespace, words: Words, vault: Vault, recovery: str) -> int:
    answer(args, {"recovery": recovery})
    if not args.json:
        sys.stdout.write(f"{recovery}\n")
        sys.stdout.flush()
    vault.recovery_is("copied")
    narrate(words, "records.recovery")
    return ExitCode.DONE


def _said(args: argparse.Namespace, words: Words, what: str, **facts: int) -> int:
    answer(args, {"done": what, **facts})
    narrate(words, f"records.{what}", **facts)
    return ExitCode.DONE


def _secret(words: Words, ask: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{words.say(f'records.{ask}')} ")
    return sys.stdin.readline().rstrip("\r\n")


def _new_secret(words: Words) -> str:
    """Ask twice for a passphrase where somebody types."""
    first = _secret(words, "ask-new")
    if sys.stdin.isatty() and _secret(words, "ask-again") != first:
        raise RecordsError("passphrase-differs")
    return first
