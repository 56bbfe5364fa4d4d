"""`amauta voices`: the voices that read aloud."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edge.command_line import ExitCode, narrate
from edge.errors import SpeechError
from edge.settings import Settings
from edge.speech.espeak import VOICES
from edge.speech.voice import InstalledVoice, installed_voices
from edge.speech.voice_folder import admit, check, remove
from edge.verbs.pull import configure_pull, run_pull
from edge.words import LANGUAGES, Value, Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `voices`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|pull|add|rm|verify")
    listing = actions.add_parser("list", help=words.say("verbs.voices.list"))
    listing.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    configure_pull(actions, words)
    adding = actions.add_parser("add", help=words.say("verbs.voices.add"))
    adding.add_argument("file", metavar="FILE.onnx", type=Path, help=words.say("verbs.voices.file"))
    adding.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    removing = actions.add_parser("rm", help=words.say("verbs.voices.rm"))
    removing.add_argument("name", metavar="NAME", help=words.say("verbs.voices.name"))
    removing.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    verifying = actions.add_parser("verify", help=words.say("verbs.voices.verify"))
    verifying.add_argument("--json", action="store_true", help=words.say("verbs.json"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the voices."""
    words = words_for("edge", settings.spoken_lang)
    if args.action == "pull":
        return run_pull(args, "voice", settings, words)
    if args.action == "add":
        voice = admit(args.file, settings.voices_folder, dry_run=args.dry_run)
        key = "voices.would-add" if args.dry_run else "voices.added"
        narrate(words, key, name=voice.name, lang=voice.lang, megabytes=_megabytes(voice))
        return ExitCode.DONE
    if args.action == "rm":
        remove(args.name, settings.voices_folder, dry_run=args.dry_run)
        narrate(words, "voices.would-remove" if args.dry_run else "voices.removed", name=args.name)
        return ExitCode.DONE
    if args.action == "verify":
        return _verify(args, settings.folders("voices"), words)
    return _list(args, settings.folders("voices"), words)


def _list(args: argparse.Namespace, folders: list[Path], words: Words) -> int:
    voices = [voice for folder in folders for voice in installed_voices(folder)]
    if args.json:
        rows = [
            {"name": v.name, "lang": v.lang, "rate": v.rate, "engine": "piper", "path": str(v.path)} for v in voices
        ]
        rows += [
            {"name": f"espeak-ng {voice}", "lang": voice, "rate": 22050, "engine": "espeak-ng", "path": ""}
            for voice in VOICES.values()
        ]
        sys.stdout.write(f"{json.dumps({'voices': rows}, ensure_ascii=False)}\n")
        return ExitCode.DONE
    for v in voices:
        where = words.say("voices.installed", megabytes=_megabytes(v))
        _row(words, name=v.name, lang=v.lang, rate=v.rate, where=where)
    for lang in LANGUAGES:
        _row(words, name="espeak-ng", lang=VOICES[lang], rate=22050, where=words.say("voices.embedded"))
    return ExitCode.DONE


def _verify(args: argparse.Namespace, folders: list[Path], words: Words) -> int:
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.onnx"))):
        try:
            check(path)
            found[path.name.removesuffix(".onnx")] = ""
        except SpeechError as error:
            found[path.name.removesuffix(".onnx")] = error.say(words.lang).splitlines()[0]
    if args.json:
        rows = [{"name": name, "good": not reason, "reason": reason} for name, reason in found.items()]
        sys.stdout.write(f"{json.dumps({'voices': rows}, ensure_ascii=False)}\n")
    else:
        for name, reason in found.items():
            key = "voices.bad" if reason else "voices.good"
            sys.stdout.write(f"{words.say(key, name=name, reason=reason)}\n")
        if not found:
            narrate(words, "voices.none")
    return ExitCode.REFUSED if any(found.values()) else ExitCode.DONE


def _row(words: Words, **facts: Value) -> None:
    sys.stdout.write(f"{words.say('voices.row', **facts)}\n")


def _megabytes(voice: InstalledVoice) -> str:
    return f"{voice.path.stat().st_size / 1e6:.1f}"
