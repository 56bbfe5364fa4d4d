"""`amauta hub serve`, `people` and `revoke`: the hub as a server, who may read there, and which devices may not deliver."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from secrets import SystemRandom

from edge.command_line import ExitCode, answer, narrate
from edge.hub import enrolling
from edge.hub.database import Database
from edge.hub.place import Place
from edge.learning.attempt import stamp
from edge.settings import Settings
from edge.words import Words

PORT = 8460
LOOPBACK = "127.0.0.1"


def configure(
    serve: argparse.ArgumentParser, people: argparse.ArgumentParser, revoke: argparse.ArgumentParser, words: Words
) -> None:
    """Add the arguments of the three."""
    serve.add_argument("--host", metavar="H", default=LOOPBACK, help=words.say("verbs.serve.host"))
    serve.add_argument("--port", metavar="N", type=int, default=PORT, help=words.say("verbs.serve.port"))
    serve.add_argument("--workers", metavar="N", type=int, default=1, help=words.say("verbs.serve.workers"))
    proxy = {"nargs": "?", "const": LOOPBACK, "default": "", "metavar": "ADDRESS"}
    serve.add_argument("--trust-proxy", **proxy, help=words.say("verbs.serve.proxy"))  # type: ignore[arg-type]
    serve.add_argument("--behind-tls", action="store_true", help=words.say("verbs.serve.tls"))
    revoke.add_argument("device", metavar="DEVICE", help=words.say("verbs.serve.device"))
    revoke.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    deeds = people.add_subparsers(dest="deed", required=True, metavar="add|list|revoke")
    added = {name: deeds.add_parser(name, help=words.say(f"verbs.people.{name}")) for name in ("add", "list", "revoke")}
    for name in ("add", "revoke"):
        added[name].add_argument("name", metavar="NAME", help=words.say("verbs.people.name"))
    roles = ("district", "school")
    added["add"].add_argument("--role", choices=roles, required=True, help=words.say("verbs.people.role"))
    added["add"].add_argument("--school", metavar="CODE", default="", help=words.say("verbs.people.school"))
    for parser in added.values():
        parser.add_argument("--hub", metavar="DIR", type=Path, help=words.say("verbs.hub.hub"))
        parser.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def serve(args: argparse.Namespace, place: Place, settings: Settings, words: Words) -> int:
    """Serve until Ctrl+C or a signal."""
    from edge.hub.serve.run import Serving
    from edge.hub.serve.run import serve as run

    def ready(host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        answer(args, {"event": "listening", "host": host, "port": port, "workers": args.workers})
        narrate(words, "server.listening", name=place.name, url=f"http://{shown}:{port}", workers=args.workers)
        sys.stdout.flush()
        if not args.trust_proxy and not args.behind_tls:
            narrate(words, "server.here-only")

    folder = place.folder.absolute()
    facts = (folder, args.host, args.port, args.workers, settings.spoken_lang, args.trust_proxy, args.behind_tls)
    run(Serving(*facts), ready)
    narrate(words, "server.stopped")
    return ExitCode.DONE


def people(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    """Add somebody, shut somebody out, or list everybody."""
    from edge.hub.serve import people as persons

    if args.deed == "list":
        found = persons.listed(database)
        answer(args, {"people": [asdict(each) for each in found]})
        for each in found if not args.json else ():
            state = words.say("server.people.revoked", day=each.revoked[:10]) if each.revoked else ""
            role = words.say(f"server.people.{each.role}")
            sys.stdout.write(f"{'  '.join(filter(None, (each.name, role, each.school, state)))}\n")
    elif args.deed == "revoke":
        persons.revoke(database, args.name, _now())
        answer(args, {"name": args.name, "revoked": True})
        narrate(words, "server.people.out", name=args.name)
    else:
        token = persons.new_token(SystemRandom())
        persons.add(database, args.name, args.role, args.school, token, _now())
        answer(args, {"name": args.name, "role": args.role, "school": args.school, "token": token})
        narrate(words, "server.people.token", name=args.name)
        if not args.json:
            sys.stdout.write(f"{token}\n")
    return ExitCode.DONE


def revoke(args: argparse.Namespace, place: Place, database: Database, words: Words) -> int:
    """Take nothing more from a device that was lost or stolen."""
    if args.dry_run:
        school = enrolling.school_of(database, args.device)
    else:
        school = enrolling.revoke(database, args.device, _now())
    answer(args, {"device": args.device, "school": school, "dry_run": args.dry_run})
    narrate(words, "server.would-revoke" if args.dry_run else "server.revoked", device=args.device, school=school)
    return ExitCode.DONE


def _now() -> str:
    return stamp(datetime.now(UTC))
