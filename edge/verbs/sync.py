"""`amauta sync`: hand over to the hub by stick, take its acknowledgements back, see how far everything is."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import SystemRandom

from edge.command_line import ExitCode, answer, narrate
from edge.learning.attempt import stamp
from edge.settings import Settings, save
from edge.sync import handing, papers
from edge.sync.enrolment import LARGEST_BYTES, TEXT_MARK
from edge.sync.errors import SyncError
from edge.sync.lan import carrying
from edge.sync.ledger import Ledger
from edge.sync.wire import authority as authorities
from edge.verbs import sync_near, sync_wire
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `sync`."""
    metavar = "enrol|export|import|send|receive|status|chats|renew-identity"
    actions = parser.add_subparsers(dest="action", required=True, metavar=metavar)
    added = {name: actions.add_parser(name, help=words.say(f"verbs.sync.{name}")) for name in metavar.split("|")}
    added["enrol"].add_argument("file", metavar="FILE", help=words.say("verbs.sync.file"))
    added["enrol"].add_argument("--ca", metavar="FILE", type=Path, help=words.say("verbs.wire.ca"))
    for name in ("export", "import"):
        added[name].add_argument("folder", metavar="DIR", type=Path, help=words.say("verbs.sync.folder"))
    for name in ("export", "renew-identity"):
        added[name].add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    added["export"].add_argument("--all", action="store_true", help=words.say("verbs.sync.all"))
    added["chats"].add_argument("choice", metavar="on|off", choices=("on", "off"), help=words.say("verbs.sync.choice"))
    sync_near.configure(added["receive"], added["send"], words)
    sync_wire.configure(added["send"], words)
    for name in added:
        added[name].add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with what is to be handed over."""
    words = words_for("edge", settings.spoken_lang)
    if args.action == "chats":
        return _chats(args, settings, words)
    if args.action == "receive":
        return sync_near.receive(args, settings, words)
    if args.action == "send":
        return sync_near.send(args, settings, words) if args.near else sync_wire.send(args, settings, words)
    enrolled = (settings.home / papers.ENROLMENT).is_file()
    if not enrolled and (done := sync_near.without_enrolment(args, settings, words)) is not None:
        return done
    with Ledger(settings.store_path) as ledger:
        deed = {"enrol": _enrol, "export": _export, "import": _import, "status": _status}.get(args.action, _renew)
        return deed(args, settings, ledger, words)


def _enrol(args: argparse.Namespace, settings: Settings, ledger: Ledger, words: Words) -> int:
    held = papers.enrol(settings.home, _given(args.file), ledger, SystemRandom())
    enrolment = held.enrolment
    kept = authorities.keep(settings.home, enrolment.hub, args.ca) if args.ca else None
    facts = {"hub": enrolment.hub, "school": enrolment.school, "device": held.identity.device}
    answer(args, {**facts, "authority": asdict(kept) if kept else None})
    narrate(words, "sync.enrolled", school=enrolment.school, hub=enrolment.shown, device=held.identity.device)
    if kept:
        narrate(words, "wire.authority", **asdict(kept))
    return ExitCode.DONE


def _given(given: str) -> bytes:
    """Return what the hub gave: a file, or the text of its QR code."""
    if given.startswith(TEXT_MARK):
        return given.encode("utf-8", "replace")
    try:
        with Path(given).open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SyncError("enrolment-unreadable", path=given[:200], reason=error.strerror or str(error)) from error


def _export(args: argparse.Namespace, settings: Settings, ledger: Ledger, words: Words) -> int:
    held = papers.papers(settings.home, ledger, SystemRandom())
    turns = settings.share_turns
    bundles = handing.prepare(ledger, held, handing.versions_of(settings), turns=turns, everything=args.all)
    count, size = sum(b.made.count() for b in bundles), sum(len(b.sealed) for b in bundles)
    names: list[str] = []
    if not args.dry_run:
        names = handing.export(args.folder, ledger, held, bundles, stamp(datetime.now(UTC)), SystemRandom())
    body = sum(bundle.body_bytes for bundle in bundles)
    facts = {"facts": count, "files": names, "bytes": size, "body_bytes": body, "turns": turns, "dry_run": args.dry_run}
    answer(args, {**facts, **sync_near.carry(args, settings, words)})
    if not count:
        narrate(words, "sync.nothing")
        return ExitCode.DONE
    narrate(words, "sync.with-turns" if turns else "sync.attempts-only")
    kilobytes = -(-size // 1000)
    key = "sync.would-export" if args.dry_run else "sync.exported"
    narrate(words, key, count=count, files=len(bundles), kilobytes=kilobytes, path=args.folder)
    return ExitCode.DONE


def _import(args: argparse.Namespace, settings: Settings, ledger: Ledger, words: Words) -> int:
    held = papers.papers(settings.home, ledger, SystemRandom())
    taken = handing.take_back(args.folder, ledger, held, stamp(datetime.now(UTC)))
    refused = [{"file": file, "reason": error.key} for file, error in taken.refused]
    others = sync_near.take_acks(args, settings, words)
    answer(args, {**asdict(replace(taken, refused=())), "refused": refused, **others})
    for file, error in taken.refused:
        sys.stderr.write(f"{file}: {error.say(words.lang)}\n")
    if taken.acks:
        narrate(words, "sync.taken", count=taken.acknowledged, removed=taken.removed)
    else:
        narrate(words, "sync.no-ack", others=taken.others)
    if taken.cloned:
        narrate(words, "sync.cloned")
    return ExitCode.REFUSED if taken.refused else ExitCode.DONE


def _status(args: argparse.Namespace, settings: Settings, ledger: Ledger, words: Words) -> int:
    held = papers.papers(settings.home, ledger, SystemRandom())
    enrolment = held.enrolment
    states = ledger.states(enrolment.hub, turns=settings.share_turns)
    last = ledger.last_ack(enrolment.hub)
    facts = {"hub": enrolment.hub, "school": enrolment.school, "device": held.identity.device}
    carried = sync_near.load_facts(settings)
    place = authorities.kept(settings.home, enrolment.hub)
    believed = authorities.read(place) if place else None
    told = {"turns": settings.share_turns, "authority": asdict(believed) if believed else None}
    answer(args, {**facts, **asdict(states), "last_ack": last, **told, **carried})
    if not args.json:
        shown = {**facts, "hub": enrolment.shown}
        sys.stdout.write(f"{words.say('sync.enrolled', **shown)}\n")
        for name, count in asdict(states).items():
            sys.stdout.write(f"  {words.say(f'sync.state.{name}'):<12}{count:>9}  {words.say(f'sync.means.{name}')}\n")
        sys.stdout.write(f"{words.say('sync.with-turns' if settings.share_turns else 'sync.attempts-only')}\n")
        if last:
            sys.stdout.write(f"{words.say('sync.last-ack', day=last[:10])}\n")
        if believed:
            sys.stdout.write(f"{words.say('wire.authority', **asdict(believed))}\n")
        sync_near.say_load(args, carrying.load_of(settings.home), words, out=True)
    return ExitCode.DONE


def _renew(args: argparse.Namespace, settings: Settings, ledger: Ledger, words: Words) -> int:
    held = papers.papers(settings.home, ledger, SystemRandom())
    before = held.identity.device
    if args.dry_run:
        answer(args, {"before": before, "device": before, "dry_run": True})
        narrate(words, "sync.would-renew", before=before)
        return ExitCode.DONE
    after = papers.renew(settings.home, ledger, SystemRandom()).identity.device
    answer(args, {"before": before, "device": after, "dry_run": False})
    narrate(words, "sync.renewed", before=before, device=after)
    return ExitCode.DONE


def _chats(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Let chats leave this device, or keep them here: an adult's choice, off until it is made."""
    allowed = args.choice == "on"
    save(replace(settings, share_turns=allowed))
    answer(args, {"turns": allowed})
    narrate(words, "sync.with-turns" if allowed else "sync.attempts-only")
    return ExitCode.DONE
