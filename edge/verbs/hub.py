"""`amauta hub`: receive what schools hand over, acknowledge it, report. A laptop and sticks are enough."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes

from edge.command_line import ExitCode, answer, narrate
from edge.files import write_atomic
from edge.hub import place as places
from edge.hub.database import Database, check_address, open_database
from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.learning.attempt import stamp
from edge.settings import Settings
from edge.verbs import hub_reports, hub_serve, hub_sums
from edge.words import Words, words_for

POINTER = "hub.txt"
"""In Amauta's folder: where the hub made last is, so that nobody has to name it each time."""


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `hub`."""
    metavar = "init|enrol|import|ack|report|sums|xapi|merge|audit|serve|people|revoke"
    actions = parser.add_subparsers(dest="action", required=True, metavar=metavar)
    added = {name: actions.add_parser(name, help=words.say(f"verbs.hub.{name}")) for name in metavar.split("|")}
    added["init"].add_argument("folder", metavar="DIR", type=Path, help=words.say("verbs.hub.new"))
    added["init"].add_argument("--name", metavar="NAME", default="", help=words.say("verbs.hub.name"))
    added["init"].add_argument("--twin", metavar="DIR", type=Path, help=words.say("verbs.hub.twin"))
    added["init"].add_argument("--database", metavar="ADDRESS", default="", help=words.say("verbs.hub.database"))
    added["enrol"].add_argument("school", metavar="SCHOOL", help=words.say("verbs.hub.school"))
    added["enrol"].add_argument("--out", metavar="FILE", type=Path, help=words.say("verbs.hub.out"))
    added["enrol"].add_argument("--qr", action="store_true", help=words.say("verbs.hub.qr"))
    added["enrol"].add_argument("--url", metavar="URL", default="", help=words.say("verbs.hub.url"))
    added["enrol"].add_argument("--renew", action="store_true", help=words.say("verbs.hub.renew"))
    for name in ("import", "ack"):
        added[name].add_argument("folder", metavar="DIR", type=Path, help=words.say("verbs.sync.folder"))
    added["ack"].add_argument("--school", metavar="S", action="append", default=[], help=words.say("verbs.hub.only"))
    hub_reports.configure_report(added["report"], words)
    hub_sums.configure(added["sums"], words)
    hub_reports.configure_xapi(added["xapi"], words)
    added["merge"].add_argument("other", metavar="OTHER", type=Path, help=words.say("verbs.hub.other"))
    hub_serve.configure(added["serve"], added["people"], added["revoke"], words)
    for name in added:
        if name == "people":
            continue
        if name != "init":
            added[name].add_argument("--hub", metavar="DIR", type=Path, help=words.say("verbs.hub.hub"))
        added[name].add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the hub."""
    words = words_for("edge", settings.spoken_lang)
    if args.action == "init":
        return _init(args, settings, words)
    place = places.load(args.hub or _remembered(settings.home))
    deeds = {"enrol": _enrol, "import": _import, "ack": _ack, "merge": _merge, "audit": _audit}
    deeds |= {"report": hub_reports.report, "xapi": hub_reports.xapi, "sums": hub_sums.run}
    deeds |= {"people": hub_serve.people, "revoke": hub_serve.revoke}
    if args.action == "serve":
        return hub_serve.serve(args, place, settings, words)
    with open_database(place) as database:
        return deeds[args.action](args, place, database, words)


def _init(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    twin = places.load(args.twin) if args.twin else None
    folder = args.folder.absolute()
    if args.database and not (folder / places.RECEIPT).exists():
        check_address(args.database, twin.id if twin else "")
    place = places.create(folder, args.name or (twin.name if twin else folder.name), twin, args.database)
    open_database(place).close()
    try:
        write_atomic(settings.home / POINTER, str(folder).encode())
    except OSError as error:
        raise HubError("hub-disk", path=settings.home, reason=error.strerror or str(error)) from error
    answer(args, {"hub": place.id, "name": place.name, "folder": str(folder), "recipient": place.recipient})
    narrate(words, "hub.made", name=place.name, hub=place.id, path=folder)
    narrate(words, "hub.keep-keys", path=folder / places.KEYS)
    return ExitCode.DONE


def _remembered(home: Path) -> Path:
    try:
        return Path((home / POINTER).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise HubError("hub-unnamed") from error


def _enrol(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    from edge.hub.enrolling import enrol
    from edge.sync.enrolment import TOKEN_BYTES, as_bytes, as_text
    from edge.sync.wire.address import checked_url

    if not (args.out or args.qr):
        raise HubError("enrol-nowhere")
    url = checked_url(args.url) if args.url else ""
    token = token_bytes(TOKEN_BYTES)
    given = replace(enrol(place, database, args.school, token, _now(), renew=args.renew), url=url)
    if args.out:
        try:
            write_atomic(args.out, as_bytes(given))
        except OSError as error:
            raise HubError("hub-disk", path=args.out, reason=error.strerror or str(error)) from error
        narrate(words, "hub.enrolment", path=args.out, school=given.school)
    if args.qr:
        import segno

        segno.make(as_text(given), error="l").terminal(sys.stderr, compact=True)
    text = {"text": as_text(given)} if args.qr else {}
    answer(args, {"school": given.school, "hub": given.hub, "out": str(args.out or ""), **text})
    if args.qr and not args.json:
        sys.stdout.write(f"{as_text(given)}\n")
    return ExitCode.DONE


def _import(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    from edge.hub.receive import receive_stick

    counts: Counter[str] = Counter()
    new = 0
    cloned: set[str] = set()
    refused = []
    for outcome in receive_stick(place, database, args.folder, _now()):
        counts[outcome.state] += 1
        new += outcome.new
        if outcome.cloned:
            cloned.add(outcome.device)
        if outcome.error:
            refused.append({"file": outcome.file, "state": outcome.state, "reason": outcome.error.key})
            sys.stderr.write(f"{outcome.file}: {outcome.error.say(words.lang)}\n")
    for device in sorted(cloned):
        narrate(words, "hub.cloned", device=device)
    states = {state: counts[state] for state in ("imported", "repeated", "refused", "unfinished")}
    answer(args, {**states, "new": new, "cloned": sorted(cloned), "files": refused})
    narrate(words, "hub.imported", **states, new=new)
    return ExitCode.REFUSED if counts["refused"] else ExitCode.DONE


def _ack(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    from edge.hub.acknowledge import acknowledge_on

    devices = list(acknowledge_on(place, database, args.folder, args.school, _now()))
    answer(args, {"devices": devices})
    narrate(words, "hub.acknowledged", count=len(devices), path=args.folder)
    return ExitCode.DONE


def _merge(args: argparse.Namespace, _place: Place, database: Database, words: Words) -> int:
    from edge.hub.join import join

    with open_database(places.load(args.other)) as other:
        joined = join(database, other, _now())
    answer(args, asdict(joined))
    narrate(words, "hub.merged", streams=joined.streams, new=joined.new, bundles=joined.bundles)
    return ExitCode.DONE


def _audit(args: argparse.Namespace, _place: Place, database: Database, _words: Words) -> int:
    names = ("at", "deed", "file", "device", "outcome", "detail")
    rows = database.rows(f"SELECT {', '.join(names)} FROM audit ORDER BY id")
    answer(args, {"audit": [dict(zip(names, row, strict=True)) for row in rows]})
    if not args.json:
        for row in rows:
            sys.stdout.write(f"{'  '.join(field for field in row if field)}\n")
    return ExitCode.DONE


def _now() -> str:
    return stamp(datetime.now(UTC))
