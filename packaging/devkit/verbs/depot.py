"""`amauta-kit depot`: the technician's own store of verified files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devkit.depot import Depot, Entry
from devkit.depot.board import Board
from devkit.depot.bring import Missing, bring, check_room, missing_bytes
from devkit.depot.care import Damage, remove, rubbish, verify
from devkit.depot.catalogue import missing, order, read_catalogue
from devkit.depot.colleague import copy_missing, is_depot
from devkit.depot.mending import command
from devkit.depot.sync_release import sync_release
from devkit.errors import KitError
from edge.command_line import ExitCode
from edge.errors import EdgeError
from edge.release.fetch import Patience
from edge.release.manifest import embedded_release
from edge.release.part import megabytes
from edge.settings import Settings
from edge.words import Value, Words

AT_ONCE, MOST_AT_ONCE = 3, 16


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `depot`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="sync|add|list|verify|rm|gc")

    def action(name: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(name, help=words.say(f"depot.help-{name}"))
        made.add_argument("--depot", metavar="DIR", type=Path, help=words.say("depot.help-depot"))
        made.add_argument("--json", action="store_true", help=words.say("kit.help-json"))
        return made

    syncing = action("sync")
    syncing.add_argument("--from", dest="source", metavar="URL|DIR", help=words.say("depot.help-from"))
    syncing.add_argument("--catalogue", metavar="ID", nargs="+", default=[], help=words.say("depot.help-catalogue"))
    syncing.add_argument("--manifest", metavar="FILE", type=Path, help=words.say("depot.help-manifest"))
    syncing.add_argument("--at-once", metavar="N", type=int, default=AT_ONCE, help=words.say("depot.help-at-once"))
    syncing.add_argument("--dry-run", action="store_true", help=words.say("depot.help-dry-run"))
    adding = action("add")
    adding.add_argument("paths", metavar="PATH", nargs="+", type=Path, help=words.say("depot.help-path"))
    adding.add_argument("--replace", action="store_true", help=words.say("depot.help-replace"))
    action("list")
    action("verify")
    forgetting = action("rm")
    forgetting.add_argument("ids", metavar="ID", nargs="+", help=words.say("depot.help-id"))
    forgetting.add_argument("--dry-run", action="store_true", help=words.say("depot.help-dry-run"))
    clearing = action("gc")
    clearing.add_argument("--dry-run", action="store_true", help=words.say("depot.help-dry-run"))
    clearing.add_argument("--unfinished", action="store_true", help=words.say("depot.help-unfinished"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Do what was asked with the depot."""
    depot = Depot(args.depot or settings.home / "depot")
    if args.action in ("list", "verify", "rm", "gc") and not depot.folder.is_dir():
        raise KitError("depot-none", path=depot.folder)
    actions = {"sync": _sync, "add": _add, "list": _list, "verify": _verify, "rm": _rm, "gc": _gc}
    return actions[args.action](args, depot, settings, words)


def _sync(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Bring what is missing; what is here and whole is not asked for again."""
    if not args.catalogue and args.source is None:
        raise KitError("depot-no-source")
    if not 1 <= args.at_once <= MOST_AT_ONCE:
        raise KitError("depot-at-once", value=args.at_once, most=MOST_AT_ONCE)
    if not args.catalogue:
        return sync_release(args, depot, settings, words)
    release = read_catalogue(args.manifest)
    orders = [order(release, name, args.source, depot) for name in dict.fromkeys(args.catalogue)]
    with depot.open():
        files = missing(orders, depot)
        if not _bring(args, depot, files, words):
            return ExitCode.DONE
        whole = [made for made in orders if not missing([made], depot)]
        for made in whole:
            depot.keep(made.entry(depot))
    if args.json:
        names = [made.artifact.id for made in whole]
        here = [file.name for file in files if depot.has(file.sha256, file.size)]
        _print({"kept": names, "brought": here, "refused": len(files) - len(here)})
    return ExitCode.DONE if len(whole) == len(orders) else ExitCode.REFUSED


def _bring(args: argparse.Namespace, depot: Depot, files: list[Missing], words: Words) -> bool:
    """Bring the files, or only say so; tell which of the two was done."""
    need = missing_bytes(depot, files)
    _tell(words, "depot.sync-begin", count=len(files), size=megabytes(need))
    if args.dry_run:
        for file in files:
            _tell(words, "depot.would-bring", name=file.name, size=megabytes(file.size or 0), source=file.sources[0])
        return False
    check_room(depot, need)
    board = Board(words, sys.stderr, sum(file.size or 0 for file in files), live=sys.stderr.isatty())
    refused = bring(depot, files, board, at_once=args.at_once, patience=Patience())
    sys.stderr.write("".join(f"{said}\n" for said in dict.fromkeys(e.say(words.lang) for e in refused.values())))
    here = [depot.path(file.sha256).stat().st_size for file in files if depot.has(file.sha256, file.size)]
    _tell(words, "depot.sync-end", count=len(here), size=megabytes(sum(here)), refused=len(files) - len(here))
    return True


def _add(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Take in each path; one that may not come in does not keep the others out."""
    from devkit.depot.adding import add

    rows: list[dict[str, Any]] = []
    failed = False
    with depot.open():
        for path in args.paths:
            try:
                if is_depot(path):
                    failed |= _copy(Depot(path), depot, rows, words)
                    continue
                entry, outcome = add(path, depot, embedded_release(), replace=args.replace)
            except EdgeError as error:
                sys.stderr.write(f"{error.say(words.lang)}\n")
                failed = True
                continue
            rows.append({"outcome": outcome, "kind": entry.kind, "id": entry.id, "size": entry.size})
            _tell(words, f"depot.{outcome}", kind=_kind(entry.kind, words), name=entry.id, size=megabytes(entry.size))
    if args.json:
        _print({"added": rows})
    return ExitCode.REFUSED if failed else ExitCode.DONE


def _copy(other: Depot, depot: Depot, rows: list[dict[str, Any]], words: Words) -> bool:
    failed = False
    for copied in copy_missing(other, depot):
        if copied.refused is not None:
            failed = True
            sys.stderr.write(f"{copied.refused.say(words.lang)}\n")
            continue
        kind, _, name = copied.name.partition("/")
        rows.append({"outcome": "copied", "kind": kind, "id": name, "size": copied.copied_bytes})
        _tell(words, "depot.copied", kind=_kind(kind, words), name=name, size=megabytes(copied.copied_bytes))
    return failed


def _list(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    entries = depot.entries()
    if args.json:
        _print({"entries": [asdict(entry) for entry in entries]})
        return ExitCode.DONE
    for entry in entries:
        sys.stdout.write(f"{_row(entry, words)}\n")
    unique = {file.sha256: file.size for entry in entries for file in entry.files}
    _tell(words, "depot.sum", count=len(entries), size=megabytes(sum(unique.values())), path=depot.folder)
    return ExitCode.DONE


def _row(entry: Entry, words: Words) -> str:
    facts = {"name": entry.id, "version": entry.version, "platform": entry.platform, "size": megabytes(entry.size)}
    return words.say("depot.row", kind=_kind(entry.kind, words), **facts).rstrip()


def _kind(kind: str, words: Words) -> str:
    return words.say(f"depot.kind-{kind}") if kind else ""


def _verify(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Read everything again; say what is broken and which command mends it."""
    with depot.open(), _progress(words) as watch:
        damages = verify(depot, watch)
    where = str(args.depot) if args.depot else None
    if args.json:
        _print({"damages": [{**asdict(d), "mend": _mend(d, where)} for d in damages]})
    for damage in () if args.json else damages:
        key = f"depot.damage-{damage.what}"
        _tell(words, key, kind=_kind(damage.kind, words), name=damage.name, path=damage.path)
        if damage.kind:
            _tell(words, "depot.mend", command=_mend(damage, where))
    _tell(words, "depot.verified" if not damages else "depot.damaged", count=len(damages))
    return ExitCode.REFUSED if damages else ExitCode.DONE


def _mend(damage: Damage, depot: str | None) -> str:
    return command(damage.kind, damage.name, embedded_release(), depot) if damage.kind else ""


@contextmanager
def _progress(words: Words) -> Iterator[Any]:
    board = Board(words, sys.stderr, 0, live=sys.stderr.isatty())
    row = board.row(words.say("depot.reading"))
    yield row.moved
    row.ended("depot.read", row.total)


def _rm(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Forget entries by their ids; all of them or, when one is not here, none."""
    entries = [entry for entry in depot.entries() if entry.id in args.ids]
    if unknown := [name for name in args.ids if name not in {entry.id for entry in entries}]:
        raise KitError("depot-no-entry", name=unknown[0][:60])
    with depot.open():
        for entry in entries:
            if not args.dry_run:
                depot.forget(entry)
            key = "depot.would-forget" if args.dry_run else "depot.forgotten"
            _tell(words, key, kind=_kind(entry.kind, words), name=entry.id, size=megabytes(entry.size))
    if args.json:
        _print({"removed": [] if args.dry_run else [f"{entry.kind}/{entry.id}" for entry in entries]})
    return ExitCode.DONE


def _gc(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Remove what no entry names; with a damaged entry nothing is removed, it might name it."""
    with depot.open(alone=True):
        found = rubbish(depot, depot.entries(), unfinished=args.unfinished)
        if not args.dry_run:
            remove(depot, found)
    paths = [path.relative_to(depot.folder).as_posix() for path in found.paths]
    if args.json:
        _print({"removed": [] if args.dry_run else paths, "found": paths, "size": found.size})
    elif args.dry_run:
        sys.stdout.write("".join(f"{path}\n" for path in paths))
    key = "depot.would-clear" if args.dry_run else "depot.cleared"
    _tell(words, key, count=len(paths), size=megabytes(found.size))
    return ExitCode.DONE


def _print(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False)}\n")


def _tell(words: Words, key: str, **values: Value) -> None:
    sys.stderr.write(f"{words.say(key, **values)}\n")
