"""`amauta sync receive` and `amauta sync send --near`: the school's own network, a teacher's laptop as the courier.

Also what `sync export`, `import` and `status` add on a laptop that carries deliveries of others.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from edge.command_line import ExitCode, answer, narrate
from edge.settings import Settings
from edge.sync.errors import RefusedError
from edge.sync.lan import carrying
from edge.sync.lan.events import Event
from edge.words import Words

if TYPE_CHECKING:
    from edge.sync.lan.receiving import Receiving

MINUTES, MOST_MINUTES = 30, 720


def configure(receive: argparse.ArgumentParser, send: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of both."""
    receive.add_argument("--minutes", type=int, default=MINUTES, metavar="N", help=words.say("verbs.near.minutes"))
    receive.add_argument("--on", metavar="HOST", help=words.say("verbs.near.on"))
    send.add_argument("--near", action="store_true", help=words.say("verbs.near.near"))
    send.add_argument("--code", metavar="NNNNNN", help=words.say("verbs.near.code"))
    send.add_argument("--address", metavar="HOST:PORT", help=words.say("verbs.near.address"))


def receive(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Be open until the time is over or Ctrl+C; what happens is told line by line."""
    from edge.sync.lan.interfaces import address_of
    from edge.sync.lan.receiving import open_receiving

    events: SimpleQueue[Event] = SimpleQueue()
    only = [address_of(args.on)] if args.on else None
    minutes = min(max(args.minutes, 1), MOST_MINUTES)
    senders: list[int] = []
    with open_receiving(settings, events.put, addresses=only) as courier, suppress(KeyboardInterrupt):
        _say_open(args, courier, minutes, words)
        for event in _until(events, minutes):
            _tell(args, event, words, senders)
    while not events.empty():
        _tell(args, events.get(), words, senders)
    load = carrying.load_of(settings.home) or carrying.Load(0, 0, 0, 0)
    answer(args, {"event": "closed", "received": len(senders), "devices": len(set(senders)), "load": asdict(load)})
    narrate(words, "near.closed", received=len(senders), devices=len(set(senders)))
    say_load(args, load, words)
    return ExitCode.DONE


def send(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Deliver to the laptop that is open nearby."""
    from edge.sync.lan.sender import Progress, send_near

    code = args.code if args.code is not None else _ask_code(words)
    last: list[str] = []

    def moved(progress: Progress) -> None:
        kilobytes = {"done": progress.done // 1000, "total": -(-progress.total // 1000)}
        if progress.step == "sending" and sys.stderr.isatty():
            end = "\n" if progress.done == progress.total else ""
            sys.stderr.write(f"\r{words.say('near.step.sending', **kilobytes)}\x1b[K{end}")
            sys.stderr.flush()
        elif last[-1:] != [progress.step]:
            last.append(progress.step)
            narrate(words, f"near.step.{progress.step}", **kilobytes)

    sent = send_near(settings, code, args.address, moved)
    refused = [{"file": file, "reason": error.key} for file, error in sent.refused]
    answer(args, {**asdict(replace(sent, refused=())), "refused": refused})
    for file, error in sent.refused:
        sys.stderr.write(f"{file}: {error.say(words.lang)}\n")
    if sent.acknowledged:
        narrate(words, "near.sent-acks", count=sent.acknowledged)
    facts = {"facts": sent.facts, "files": sent.files, "kilobytes": -(-sent.bytes // 1000), "already": sent.already}
    narrate(words, "near.sent" if sent.facts else "near.sent-nothing", **facts)
    if sent.cloned:
        narrate(words, "sync.cloned")
    return ExitCode.REFUSED if sent.refused else ExitCode.DONE


def carry(args: argparse.Namespace, settings: Settings, words: Words) -> dict[str, Any]:
    """Write to a stick what this laptop carries for others; return what there is to tell about it."""
    if getattr(args, "dry_run", False) or (carried := carrying.carry(settings.home, args.folder)) is None:
        return {}
    narrate(words, "near.carried", files=carried.files, there=carried.there, path=args.folder)
    if carried.trouble:
        raise carried.trouble
    return {"carried": {"files": carried.files, "bytes": carried.bytes, "there": carried.there}}


def take_acks(args: argparse.Namespace, settings: Settings, words: Words) -> dict[str, Any]:
    """Take in what a stick brings for others, if this laptop is a courier; return what there is to tell about it."""
    taken = carrying.take_acks(settings.home, args.folder)
    if taken:
        narrate(words, "near.acks-taken", count=taken)
    return {"for_others": taken} if carrying.load_of(settings.home) else {}


def load_facts(settings: Settings) -> dict[str, Any]:
    """Return what `status` adds in JSON."""
    load = carrying.load_of(settings.home)
    return {"courier": asdict(load)} if load else {}


def say_load(args: argparse.Namespace, load: carrying.Load | None, words: Words, *, out: bool = False) -> None:
    """Tell what this laptop carries for others."""
    if load is None or args.json or not (load.bundles or load.acks):
        return
    facts = {"bundles": load.bundles, "never_out": load.never_out, "acks": load.acks}
    lines = [words.say("near.load", kilobytes=-(-load.bytes // 1000), **facts)]
    lines += [words.say("near.load-hint")] if load.never_out else []
    (sys.stdout if out else sys.stderr).write("".join(f"{line}\n" for line in lines))


def without_enrolment(args: argparse.Namespace, settings: Settings, words: Words) -> int | None:
    """Do what a laptop can that only carries for others; None when it does not, or when that is not enough."""
    load = carrying.load_of(settings.home)
    if (
        load is None
        or args.action not in ("export", "import", "status")
        or (args.action == "export" and not load.bundles)
    ):
        return None
    if args.action == "status":
        answer(args, load_facts(settings))
        say_load(args, load, words, out=True)
    else:
        answer(args, (carry if args.action == "export" else take_acks)(args, settings, words))
    return ExitCode.DONE


def _say_open(args: argparse.Namespace, courier: Receiving, minutes: int, words: Words) -> None:
    from edge.sync.lan.pairing import shown_code

    facts = {"code": courier.code, "label": courier.label}
    answer(args, {"event": "open", **facts, "addresses": courier.addresses, "announced": courier.announced})
    narrate(words, "near.open", code=shown_code(courier.code), label=courier.label)
    first = courier.addresses[0] if courier.addresses else ""
    narrate(words, "near.found-by-itself" if courier.announced else "near.not-announced", address=first)
    narrate(words, "near.addresses", addresses=", ".join(courier.addresses))
    narrate(words, "near.until", minutes=minutes)


def _until(events: SimpleQueue[Event], minutes: int) -> Iterator[Event]:
    """Yield what happens until the time is over."""
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        with suppress(Empty):
            yield events.get(timeout=0.3)


def _tell(args: argparse.Namespace, event: Event, words: Words, senders: list[int]) -> None:
    """Say what happened; note who delivered."""
    from edge.sync.lan.lobby import MOST_WRONG
    from edge.sync.lan.pairing import shown_code

    senders += [event.sender] if event.kind == "received" else []
    told = {name: getattr(event, name) for name in ("sender", "code", "total", "count") if getattr(event, name)}
    told |= {"reason": event.error.key} if event.error else {}
    answer(args, {"event": event.kind, **told})
    if event.kind == "code":
        narrate(words, "near.new-code", code=shown_code(event.code))
    elif event.kind == "wrong-code":
        narrate(words, "near.wrong-code", count=event.count, most=MOST_WRONG)
    elif event.error:
        what = event.error.say(words.lang).partition("\n")[0]
        narrate(words, "near.trouble", sender=event.sender, what=what)
    elif event.kind in ("locked", "paired", "received", "repeated"):
        narrate(words, f"near.{event.kind}", sender=event.sender, kilobytes=-(-event.total // 1000))


def _ask_code(words: Words) -> str:
    if not sys.stdin.isatty():
        raise RefusedError("near-code-shape", code="")
    sys.stderr.write(words.say("near.ask-code"))
    sys.stderr.flush()
    return sys.stdin.readline().strip()
