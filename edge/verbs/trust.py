"""`amauta trust`: whose signatures this device accepts."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from edge.command_line import ExitCode
from edge.release.anchor import Anchor, read_anchor, same_fingerprint
from edge.release.layout import LIMITS
from edge.release.memory import Memory, embedded_root
from edge.release.trust import Seen, TrustError, last_seen, months_between
from edge.settings import Settings
from edge.words import Words, words_for

ASKED_SIGNS = 4


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `trust`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|add")
    showing = actions.add_parser("show", help=words.say("verbs.trust.show"))
    showing.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    adding = actions.add_parser("add", help=words.say("verbs.trust.add"))
    adding.add_argument("file", metavar="ROOT.json", type=Path, help=words.say("verbs.trust.file"))
    adding.add_argument("--fingerprint", metavar="F", help=words.say("verbs.trust.fingerprint"))
    adding.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Show whom this device trusts, or let it trust somebody."""
    words = words_for("edge", settings.spoken_lang)
    memory = Memory(settings.home / "trust")
    if args.action == "add":
        return _add(args, memory, words)
    known = memory.root()
    content = known or embedded_root()
    anchor = read_anchor(content) if content else None
    seen = last_seen(memory)
    if args.json:
        _print(json.dumps(_facts(anchor, seen, embedded=known is None), ensure_ascii=False))
    elif anchor is None:
        _print(words.say("trust.none"))
    else:
        _show(anchor, words)
        if known is None:
            _print(words.say("trust.from-app"))
        if seen is not None:
            months = months_between(seen.signed, datetime.now(UTC).date())
            _print(words.say("trust.release", signed=_day(seen.signed), months=months, expires=_day(seen.expires)))
    return ExitCode.DONE if anchor else ExitCode.REFUSED


def _facts(anchor: Anchor | None, seen: Seen | None, *, embedded: bool) -> dict[str, object]:
    if anchor is None:
        return {"trusts": None, "release": None}
    trusts = asdict(anchor) | {"expires": anchor.expires.isoformat(), "embedded": embedded}
    release = seen and {"signed": _day(seen.signed), "expires": _day(seen.expires)}
    return {"trusts": trusts, "release": release}


def _add(args: argparse.Namespace, memory: Memory, words: Words) -> int:
    content = _read(args.file)
    anchor = read_anchor(content)
    before = memory.root() or embedded_root()
    _show(anchor, words)
    if before == content:
        _tell(words.say("trust.same"))
        return ExitCode.DONE
    if args.fingerprint is not None and not same_fingerprint(args.fingerprint, anchor.fingerprint):
        raise TrustError("trust-differs", fingerprint=anchor.fingerprint, given=args.fingerprint[:40])
    if before is not None:
        _tell(words.say("trust.replaces", fingerprint=read_anchor(before).fingerprint))
    if args.dry_run:
        _tell(words.say("trust.would"))
        return ExitCode.DONE
    if args.fingerprint is None:
        _ask(anchor, words)
    try:
        memory.trust(content)
    except OSError as error:
        raise TrustError("trust-disk", reason=error.strerror or str(error)) from error
    _tell(words.say("trust.added"))
    return ExitCode.DONE


def _ask(anchor: Anchor, words: Words) -> None:
    """Let a person confirm by typing: whoever types the end has read the fingerprint."""
    if not sys.stdin.isatty():
        raise TrustError("trust-ask", fingerprint=anchor.fingerprint)
    _tell(words.say("trust.compare"))
    sys.stderr.write(words.say("trust.ask"))
    sys.stderr.flush()
    if not same_fingerprint(sys.stdin.readline().strip(), anchor.fingerprint[-ASKED_SIGNS:]):
        raise TrustError("trust-refused")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMITS["root"]:
            raise TrustError("trust-root")
        return path.read_bytes()
    except OSError as error:
        raise TrustError("trust-file", path=path, reason=error.strerror or str(error)) from error


def _show(anchor: Anchor, words: Words) -> None:
    expires = _day(anchor.expires)
    _print(words.say("trust.root", fingerprint=anchor.fingerprint, version=anchor.version, expires=expires))
    for role in anchor.roles:
        names = ", ".join(role.keys)
        _print(words.say("trust.role", role=role.name, threshold=role.threshold, count=len(role.keys), names=names))


def _day(day: date) -> str:
    return day.isoformat()


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
