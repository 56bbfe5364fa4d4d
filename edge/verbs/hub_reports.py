"""`amauta hub report` and `amauta hub xapi`: what a hub tells, to a terminal or into a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from edge.command_line import ExitCode, narrate
from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.reports.build import NAMES, OF_A_SCHOOL, USUAL, Reports
from edge.hub.reports.groups import SMALLEST
from edge.hub.reports.months import Period, name_of, period
from edge.hub.reports.sums import waiting
from edge.hub.reports.table import Table, lines
from edge.learning.attempt import stamp
from edge.verbs.hub_sums import catch_up
from edge.verbs.learners import write_table
from edge.words import Words

NARRATE_EVERY = 50_000


def configure_report(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `hub report`."""
    known = words.say("verbs.hub-report.what", names=", ".join(NAMES))
    parser.add_argument("--what", metavar="NAME", action="append", default=[], help=known)
    parser.add_argument("--out", metavar="FILE", type=Path, help=words.say("verbs.hub-report.out"))
    _configure_choice(parser, words)


def configure_xapi(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `hub xapi`."""
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help=words.say("verbs.hub-xapi.out"))
    parser.add_argument("--pseudonyms", action="store_true", help=words.say("verbs.hub-xapi.pseudonyms"))
    parser.add_argument("--home", metavar="URL", default="", help=words.say("verbs.hub-xapi.home"))
    _configure_choice(parser, words)


def _configure_choice(parser: argparse.ArgumentParser, words: Words) -> None:
    parser.add_argument("--school", metavar="CODE", default="", help=words.say("verbs.hub-report.school"))
    parser.add_argument("--from", dest="since", metavar="DATE", default="", help=words.say("verbs.hub-report.since"))
    parser.add_argument("--to", dest="until", metavar="DATE", default="", help=words.say("verbs.hub-report.until"))


def report(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    """Tell what was asked for, in the terminal or into a file."""
    chosen, now = _period(args, words)
    reports = Reports(database, place.folder, words, chosen, now, args.school, is_caught_up=True)
    suffix = args.out.suffix.casefold() if args.out else ""
    if args.out and suffix not in (".csv", ".xlsx"):
        raise HubError("report-kind", path=args.out)
    names = args.what or [name for name in USUAL if not args.school or name in OF_A_SCHOOL]
    if suffix == ".csv" and len(names) > 1:
        raise HubError("report-one-table")
    try:
        catch_up(database, words)
    except HubError as error:
        sys.stderr.write(f"{error.say(words.lang)}\n")
        narrate(words, "reports.sums-behind", schools=waiting(database))
    tables = reports.tables(names)
    for path in reports.catalogue.broken:
        narrate(words, "reports.pack-broken", path=path)
    if args.out:
        _write(args.out, suffix, tables, words)
    if args.json:
        facts = {table.name: table.as_json() for table in tables}
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False)}\n")
    elif not args.out:
        sys.stdout.write("\n\n".join("\n".join(lines(table, words)) for table in tables) + "\n")
    narrate(words, "reports.suppressed", least=SMALLEST)
    return ExitCode.DONE


def xapi(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    """Write every answer as an xAPI statement; the audit tells of it before the first one is read."""
    from edge.hub.reports.catalogue import catalogue
    from edge.hub.xapi import Naming, home_of, line, statements

    if not args.pseudonyms:
        raise HubError("xapi-pseudonyms")
    chosen, now = _period(args, words)
    naming = Naming(home_of(place.id, args.home), catalogue(place.folder, words))
    with database.step():
        detail = " ".join(filter(None, (args.school, args.since, args.until)))
        database.audit(now, "xapi", file=args.out.name, outcome="exported", detail=detail)
    count = 0
    with _replaced(args.out) as file, database.still():
        for statement in statements(database, chosen, naming, args.school):
            file.write(line(statement))
            count += 1
            if count % NARRATE_EVERY == 0:
                narrate(words, "reports.xapi-going", count=count)
    if args.json:
        sys.stdout.write(f"{json.dumps({'statements': count, 'out': str(args.out)}, ensure_ascii=False)}\n")
    narrate(words, "reports.xapi", count=count, path=args.out)
    return ExitCode.DONE


def _period(args: argparse.Namespace, words: Words) -> tuple[Period, str]:
    now = stamp(datetime.now(UTC))
    chosen = period(args.since, args.until, now)
    if not chosen.is_all and (months := chosen.months()):
        narrate(words, "reports.whole-months", first=name_of(months[-1]), last=name_of(months[0]))
    return chosen, now


def _write(path: Path, suffix: str, tables: Sequence[Table], words: Words) -> None:
    from edge.hub.reports.files import as_csv, as_xlsx

    write_table(path, as_csv(tables[0], words) if suffix == ".csv" else as_xlsx(tables, words))
    narrate(words, "reports.written", path=path, count=sum(len(table.rows) for table in tables))


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """Give a file to fill; it takes its place when it is whole, readable by its owner only."""
    pending = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        pending.replace(path)
    except OSError as error:
        raise HubError("hub-disk", path=path, reason=error.strerror or str(error)) from error
    finally:
        pending.unlink(missing_ok=True)
