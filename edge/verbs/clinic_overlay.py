"""`amauta clinic overlay`: the words of tables and teaching texts in one more language, from a community's file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge.command_line import ExitCode, answer, narrate
from edge.library.folder import CLINIC, lesson_files, read_head
from edge.settings import Settings
from edge.triage import overlay_shelf as shelf
from edge.triage.errors import TriageError
from edge.triage.overlay import Overlay, read_overlay
from edge.triage.overlay_template import template
from edge.triage.say import overlay_of
from edge.words import LANGUAGES, Words, words_for

ACTIONS = ("check", "add", "list", "use", "remove", "template")


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic overlay`."""
    parser.add_argument("what", choices=ACTIONS, help=words.say("verbs.clinic.overlay-what"))
    parser.add_argument("names", metavar="FILE|ID", nargs="*", help=words.say("verbs.clinic.overlay-names"))
    parser.add_argument("--from", dest="origin", choices=LANGUAGES, help=words.say("verbs.clinic.overlay-from"))
    parser.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with overlays."""
    words = words_for("edge", settings.spoken_lang)
    if args.what in ("check", "add"):
        return _check(args, settings, words)
    if args.what == "list":
        return _list(args, settings, words)
    if args.what == "template":
        return _template(args, settings)
    if args.what == "use":
        shelf.choose(settings, _one(args))
        return _said(args, words, "overlay-used" if _one(args) != shelf.NONE else "overlay-unused")
    shelf.remove(settings, _one(args), dry_run=args.dry_run)
    return _said(args, words, "overlay-would-remove" if args.dry_run else "overlay-removed")


def _one(args: argparse.Namespace) -> str:
    if len(args.names) != 1:
        raise TriageError("overlay-one", given=len(args.names))
    return str(args.names[0])


def _said(args: argparse.Namespace, words: Words, key: str) -> int:
    answer(args, {"overlay": _one(args), "done": key})
    narrate(words, f"clinic.{key}", name=_one(args))
    return ExitCode.DONE


def _check(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    path = Path(_one(args))
    overlay, complaints = read_overlay(path)
    covered: list[shelf.Coverage] = []
    if overlay is not None:
        found, covered = shelf.check_overlay(overlay, settings)
        complaints = [*complaints, *found]
    facts = {
        "path": str(path),
        "complaints": [{"line": one.line, "key": one.key, "say": one.say(words.lang)} for one in complaints],
        "covers": [{"name": one.name, "said": one.said, "of": one.of} for one in covered],
    }
    if complaints or overlay is None:
        answer(args, facts)
        sys.stdout.write("" if args.json else "".join(f"{one.say(words.lang)}\n" for one in complaints))
        narrate(words, "clinic.failed", path=path, count=len(complaints))
        return ExitCode.REFUSED
    for one in () if args.json else covered:
        sys.stdout.write(f"{words.say('clinic.overlay-covers', name=one.name, said=one.said, of=one.of)}\n")
    added = str(shelf.add(settings, overlay)) if args.what == "add" and not args.dry_run else None
    answer(args, facts | {"added": added})
    narrate(words, "clinic.overlay-added" if added else "clinic.overlay-good", text=overlay_of(overlay.shown, words))
    if shelf.voice_lang(overlay.shown) is None:
        narrate(words, "clinic.overlay-silent", lang=overlay.shown.lang)
    return ExitCode.DONE


def _list(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    rows = [_row(path, settings, words) for path in shelf.overlay_files(settings)]
    answer(args, {"overlays": rows})
    for row in () if args.json else rows:
        mark = words.say("clinic.overlay-shown") if row["shown"] else ""
        sys.stdout.write(f"{words.say('clinic.overlay-row', id=row['id'], text=row['say'])}{mark}\n")
    if not rows:
        narrate(words, "clinic.overlay-none")
    return ExitCode.DONE


def _row(path: Path, settings: Settings, words: Words) -> dict[str, Any]:
    overlay, complaints = read_overlay(path)
    good: Overlay | None = None if complaints else overlay
    said = overlay_of(good.shown, words) if good else words.say("clinic.failed", path=path, count=len(complaints))
    return {"id": path.stem, "good": good is not None, "shown": shelf.chosen(settings) == path.stem, "say": said}


def _template(args: argparse.Namespace, settings: Settings) -> int:
    """Print an empty overlay of these tables and teaching packs, each original above the line for its words."""
    if not args.names:
        raise TriageError("overlay-one", given=0)
    origin = args.origin or settings.spoken_lang
    names = [inside for name in args.names for inside in _texts_of(name)]
    text = template([(name, *shelf.originals_of(name, origin, settings)) for name in names], origin)
    answer(args, {"toml": text})
    sys.stdout.write("" if args.json else text)
    return ExitCode.DONE


def _texts_of(name: str) -> list[str]:
    """Return a name as it is, or for a teaching pack that ships the names of all its texts."""
    folder = CLINIC / name
    if not name.isidentifier() or not folder.is_dir():
        return [name]
    return [f"{read_head(folder, []).id}/{path.stem}" for path in lesson_files(folder)]
