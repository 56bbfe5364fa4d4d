"""`amauta packs`: list, check, add and export content packs."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from edge.command_line import ExitCode
from edge.errors import PackError
from edge.library.check import advise, check
from edge.library.folder import read_pack
from edge.library.library import Library, PackRow
from edge.library.pack import Complaint
from edge.library.shelf import admit, copy_pack, folder_named
from edge.settings import Settings
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `packs`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|check|add|export")
    listing = actions.add_parser("list", help=words.say("verbs.packs.list"))
    listing.add_argument("--lessons", action="store_true", help=words.say("verbs.packs.lessons"))
    listing.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    checking = actions.add_parser("check", help=words.say("verbs.packs.check"))
    checking.add_argument("folder", metavar="FOLDER", type=Path, help=words.say("verbs.packs.folder"))
    checking.add_argument("--strict", action="store_true", help=words.say("verbs.packs.strict"))
    checking.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    adding = actions.add_parser("add", help=words.say("verbs.packs.add"))
    adding.add_argument("folder", metavar="FOLDER", type=Path, help=words.say("verbs.packs.folder"))
    adding.add_argument("--replace", action="store_true", help=words.say("verbs.packs.replace"))
    adding.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    exporting = actions.add_parser("export", help=words.say("verbs.packs.export"))
    exporting.add_argument("pack", metavar="PACK", help=words.say("verbs.packs.pack"))
    exporting.add_argument("folder", metavar="FOLDER", type=Path, help=words.say("verbs.packs.into"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the packs."""
    words = words_for("edge", settings.spoken_lang)
    if args.action == "check":
        return _check(args, words)
    if args.action == "add":
        return _add(args, settings, words)
    library = Library.open(settings)
    try:
        if args.action == "export":
            return _export(args, library, words)
        return _list(args, library, words)
    finally:
        library.close()


def _list(args: argparse.Namespace, library: Library, words: Words) -> int:
    rows = library.lessons()
    if args.json:
        packs = [{**asdict(pack), "folder": str(pack.folder)} for pack in library.packs()]
        lessons = {"lessons": [asdict(row) for row in rows]} if args.lessons else {}
        sys.stdout.write(f"{json.dumps({'packs': packs, **lessons}, ensure_ascii=False)}\n")
        return ExitCode.DONE
    for pack in library.packs():
        count = sum(row.pack == pack.id for row in rows)
        row = words.say("packs.row", pack=pack.id, title=pack.title, lang=pack.lang, version=pack.version, count=count)
        sys.stdout.write(f"{row}\n")
        for lesson in rows if args.lessons else ():
            if lesson.pack == pack.id:
                sys.stdout.write(f"  {lesson.grade}  {lesson.id:<50} {lesson.title}\n")
    return ExitCode.DONE


def _check(args: argparse.Namespace, words: Words) -> int:
    pack, complaints = read_pack(args.folder)
    complaints += check(pack)
    advice = advise(pack)
    failed = bool(complaints) or (args.strict and bool(advice))
    if args.json:
        found = {"complaints": _as_rows(complaints, words), "advice": _as_rows(advice, words)}
        sys.stdout.write(f"{json.dumps({'pack': pack.id, **found}, ensure_ascii=False)}\n")
        return ExitCode.REFUSED if failed else ExitCode.DONE
    for title, rows in (("packs.complaints", complaints), ("packs.advice", advice)):
        if rows:
            lines = "\n".join(row.say(words.lang) for row in rows)
            sys.stdout.write(f"{words.say(title, count=len(rows))}\n{lines}\n")
    items = sum(len(lesson.items) for lesson in pack.lessons)
    answers = sum(len(lesson.bank) for lesson in pack.lessons)
    key = "packs.failed" if failed else "packs.fine"
    sys.stderr.write(f"{words.say(key, pack=pack.id, lessons=len(pack.lessons), items=items, answers=answers)}\n")
    return ExitCode.REFUSED if failed else ExitCode.DONE


def _add(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    pack = admit(folder_named(args.folder))
    present = _present(pack.id, settings)
    if present is not None and present.version >= pack.version and not args.replace:
        raise PackError("pack-exists", pack=pack.id, version=present.version)
    if not args.dry_run:
        copy_pack(pack, settings.packs_folder / pack.id)
    key = "packs.would-add" if args.dry_run else "packs.added"
    sys.stderr.write(f"{words.say(key, pack=pack.id, title=pack.title, lessons=len(pack.lessons))}\n")
    return ExitCode.DONE


def _export(args: argparse.Namespace, library: Library, words: Words) -> int:
    row = next((pack for pack in library.packs() if pack.id == args.pack), None)
    if row is None:
        raise PackError("pack-unknown", pack=args.pack)
    pack, _ = read_pack(row.folder)
    copy_pack(pack, args.folder / pack.id)
    sys.stderr.write(f"{words.say('packs.exported', pack=pack.id, path=args.folder / pack.id)}\n")
    return ExitCode.DONE


def _present(pack_id: str, settings: Settings) -> PackRow | None:
    library = Library.open(settings)
    try:
        return next((pack for pack in library.packs() if pack.id == pack_id), None)
    finally:
        library.close()


def _as_rows(complaints: list[Complaint], words: Words) -> list[dict[str, str | int]]:
    return [{"file": str(c.path), "line": c.line, "say": c.say(words.lang)} for c in complaints]
