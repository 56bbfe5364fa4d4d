"""The part of `amauta-kit depot sync` that takes a signed release: verify, say what comes, bring it."""

from __future__ import annotations

import argparse
import json
import sys

from devkit.depot.board import Board
from devkit.depot.bring import check_room
from devkit.depot.store import Depot
from edge.command_line import ExitCode
from edge.release.part import megabytes
from edge.settings import Settings
from edge.words import Value, Words


def sync_release(args: argparse.Namespace, depot: Depot, settings: Settings, words: Words) -> int:
    """Bring a release; nothing of it is kept as an entry before all of it is here."""
    from devkit.depot.releases import bring_release, verify

    def tell(key: str, **values: Value) -> None:
        sys.stderr.write(f"{words.say(key, **values)}\n")

    with depot.open():
        verified = verify(args.source, settings.home)
        contents, missing = verified.contents, verified.missing(depot)
        files = {file.sha256: file.size for file in contents.files if not depot.has(file.sha256, file.size)}
        tell("depot.release", number=contents.number, version=contents.version, signed=str(verified.trusted.signed))
        tell("depot.release-begin", count=len(missing), size=megabytes(sum(missing.values())))
        if args.dry_run:
            return ExitCode.DONE
        # Parts and, beside them, the files they make.
        check_room(depot, sum(missing.values()) + sum(files.values()))
        board = Board(words, sys.stderr, sum(file.size for file in contents.files), live=sys.stderr.isatty())
        refused = bring_release(depot, verified, board, args.at_once)
    sys.stderr.write("".join(f"{said}\n" for said in dict.fromkeys(e.say(words.lang) for e in refused.values())))
    left = verified.missing(depot)
    brought = sum(size for sha256, size in missing.items() if sha256 not in left)
    tell("depot.release-end", count=len(missing) - len(left), size=megabytes(brought), refused=len(refused))
    if args.json:
        answer = {"release": contents.number, "brought_bytes": brought, "refused": len(refused)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
    return ExitCode.REFUSED if refused else ExitCode.DONE
