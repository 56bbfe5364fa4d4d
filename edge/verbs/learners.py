"""`amauta learners`: who learns on this device."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from errno import EISDIR, ENOENT
from os import strerror
from pathlib import Path
from secrets import SystemRandom

from edge.cli import lang_of
from edge.command_line import ExitCode
from edge.errors import StoreError
from edge.files import write_atomic
from edge.learning.attempt import stamp
from edge.learning.learner import Learner, clean_name, new_id
from edge.learning.roster import RosterRow, decode, parse_roster, roster
from edge.learning.store import Store
from edge.settings import Settings
from edge.words import Words, words_for

LARGEST_BYTES = 2_000_000


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `learners`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|add|import|export|erase")
    listing = actions.add_parser("list", help=words.say("verbs.learners.list"))
    listing.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    adding = actions.add_parser("add", help=words.say("verbs.learners.add"))
    adding.add_argument("name", metavar="NAME", help=words.say("verbs.learners.name"))
    adding.add_argument("--lang", metavar="L", help=words.say("verbs.learners.lang"))
    importing = actions.add_parser("import", help=words.say("verbs.learners.import"))
    importing.add_argument("file", metavar="CSV", type=Path, help=words.say("verbs.learners.file"))
    importing.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    exporting = actions.add_parser("export", help=words.say("verbs.learners.export"))
    exporting.add_argument("who", metavar="ID", nargs="?", help=words.say("verbs.learners.export-one"))
    exporting.add_argument("--out", metavar="CSV", type=Path, help=words.say("verbs.learners.out"))
    erasing = actions.add_parser("erase", help=words.say("verbs.learners.erase"))
    erasing.add_argument("who", metavar="ID", help=words.say("verbs.learners.who"))
    erasing.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the learners."""
    words = words_for("edge", settings.spoken_lang)
    with Store.open(settings.store_path) as store:
        if args.action == "add":
            return _add(args, store, settings, words)
        if args.action == "import":
            return _import(args, store, settings, words)
        if args.action == "export":
            return _export_one(args, store, words) if args.who else _export(args, store, words)
        if args.action == "erase":
            return _erase(args, store, settings, words)
        return _list(args, store, words)


def _list(args: argparse.Namespace, store: Store, words: Words) -> int:
    learners = store.learners()
    if args.json:
        rows = {"learners": [asdict(learner) for learner in learners]}
        sys.stdout.write(f"{json.dumps(rows, ensure_ascii=False)}\n")
        return ExitCode.DONE
    for learner in learners:
        sys.stdout.write(f"{learner.id}  {learner.lang}  {learner.name}\n")
    if not learners:
        sys.stderr.write(f"{words.say('learners.none')}\n")
    return ExitCode.DONE


def _add(args: argparse.Namespace, store: Store, settings: Settings, words: Words) -> int:
    row = RosterRow(clean_name(args.name), lang_of(args.lang, settings))
    if _known(row, store.learners()):
        raise StoreError("learner-exists", name=row.name)
    _keep([row], store, words)
    return ExitCode.DONE


def _import(args: argparse.Namespace, store: Store, settings: Settings, words: Words) -> int:
    """Add everyone on a list who is not here yet: importing a list twice changes nothing."""
    rows = parse_roster(_read(args.file), args.file, settings.spoken_lang, words)
    learners = store.learners()
    new = [row for row in rows if not _known(row, learners)]
    for row in rows:
        if row not in new:
            sys.stderr.write(f"{words.say('learners.known', name=row.name)}\n")
    if args.dry_run:
        for row in new:
            sys.stderr.write(f"{words.say('learners.would-add', name=row.name, lang=row.lang)}\n")
    else:
        _keep(new, store, words)
    key = "learners.summary-dry" if args.dry_run else "learners.summary"
    sys.stderr.write(f"{words.say(key, added=len(new), known=len(rows) - len(new))}\n")
    return ExitCode.DONE


def _keep(rows: Iterable[RosterRow], store: Store, words: Words) -> None:
    random = SystemRandom()
    for row in rows:
        learner = store.add_learner(row.name, row.lang, new_id(random))
        sys.stderr.write(f"{words.say('learners.added', name=learner.name, lang=learner.lang)}\n")


def _export(args: argparse.Namespace, store: Store, words: Words) -> int:
    learners = store.learners()
    content = roster(learners)
    if args.out is None:
        sys.stdout.write(content.decode("utf-8-sig").replace("\r\n", "\n"))
        return ExitCode.DONE
    write_table(args.out, content)
    sys.stderr.write(f"{words.say('learners.exported', path=args.out, count=len(learners))}\n")
    return ExitCode.DONE


def _export_one(args: argparse.Namespace, store: Store, words: Words) -> int:
    """Give out everything this device keeps about one person."""
    from edge.learning.erasure import everything

    learner = find_learner(store.learners(), args.who)
    found = everything(store.path, learner.id)
    content = json.dumps({"learner": asdict(learner), **found}, ensure_ascii=False, indent=1)
    if args.out is None:
        sys.stdout.write(f"{content}\n")
    else:
        write_table(args.out, content.encode("utf-8"))
        sys.stderr.write(f"{words.say('learners.exported', path=args.out, count=1)}\n")
    return ExitCode.DONE


def _erase(args: argparse.Namespace, store: Store, settings: Settings, words: Words) -> int:
    """Delete everything about one person; what was handed over follows with the next delivery."""
    from edge.learning.erasure import erase, everything

    learner = find_learner(store.learners(), args.who)
    if args.dry_run:
        found = everything(store.path, learner.id)
        counts = {"attempts": len(found["attempts"]), "turns": len(found["turns"])}
        sys.stderr.write(f"{words.say('learners.would-erase', name=learner.name, **counts)}\n")
        return ExitCode.DONE
    gone = erase(store.path, learner.id, stamp(datetime.now(UTC)))
    (settings.home / "learner").unlink(missing_ok=True)  # Who practised last; asked anew if it was somebody else.
    sys.stderr.write(f"{words.say('learners.erased', attempts=gone.attempts, turns=gone.turns)}\n")
    return ExitCode.DONE


def find_learner(learners: list[Learner], called: str) -> Learner:
    """Return the learner with this name or key; raise StoreError when nobody or several are meant."""
    name = " ".join(called.split()).casefold()
    found = [learner for learner in learners if name in (learner.id, learner.name.casefold())]
    if not found:
        raise StoreError("learner-unknown", name=called[:60])
    if len(found) > 1:
        raise StoreError("learner-twice", name=called[:60], count=len(found))
    return found[0]


def write_table(path: Path, content: bytes) -> None:
    """Write a CSV file; raise StoreError when it cannot be written."""
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, strerror(EISDIR))
        if not path.parent.is_dir():
            # A folder written wrongly must not appear by itself.
            raise FileNotFoundError(ENOENT, strerror(ENOENT))
        write_atomic(path, content)
    except OSError as error:
        raise StoreError("report-unwritable", path=path, reason=error.strerror or str(error)) from error


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return decode(file.read(LARGEST_BYTES))
    except OSError as error:
        raise StoreError("roster-unreadable", path=path, reason=error.strerror or str(error)) from error


def _known(row: RosterRow, learners: Iterable[Learner]) -> bool:
    return any(row.name.casefold() == learner.name.casefold() for learner in learners)
