"""`amauta models`: what is here, what the catalogue knows, and what each model may do."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.command_line import ExitCode, narrate
from edge.release.installed import (
    ENDINGS,
    InstalledModel,
    add_model,
    find_model,
    installed_models,
    is_whole,
    remove_model,
)
from edge.release.manifest import Artifact, Release, embedded_release
from edge.settings import Settings
from edge.tutor.engine import Message
from edge.verbs.pull import configure_pull, run_pull
from edge.words import Words, words_for

if TYPE_CHECKING:
    from edge.onnx.opening import Loaded

MOST_TOKENS = 120


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `models`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|verify|pull|add|rm|try")
    listing = actions.add_parser("list", help=words.say("verbs.models.list"))
    listing.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    verifying = actions.add_parser("verify", help=words.say("verbs.models.verify"))
    verifying.add_argument("--json", action="store_true", help=words.say("verbs.json"))
    configure_pull(actions, words)
    adding = actions.add_parser("add", help=words.say("verbs.models.add"))
    adding.add_argument("file", metavar="FILE", type=Path, help=words.say("verbs.models.file"))
    adding.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    removing = actions.add_parser("rm", help=words.say("verbs.models.rm"))
    removing.add_argument("name", metavar="NAME", help=words.say("verbs.models.name"))
    removing.add_argument("--dry-run", action="store_true", help=words.say("verbs.dry-run"))
    trying = actions.add_parser("try", help=words.say("verbs.models.try"))
    trying.add_argument("prompt", metavar="PROMPT", nargs="?", default="", help=words.say("verbs.models.prompt"))
    trying.add_argument("--model", metavar="NAME", default="mini", help=words.say("verbs.models.model"))
    trying.add_argument("--adapter", metavar="FILE.gguf", type=Path, help=words.say("verbs.models.adapter"))
    trying.add_argument(
        "--max-tokens", metavar="N", type=int, default=MOST_TOKENS, help=words.say("verbs.models.max-tokens")
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked with the models."""
    words = words_for("edge", settings.spoken_lang)
    release = embedded_release()
    if args.action == "list":
        return _list(args.json, settings, release, words)
    if args.action == "verify":
        return _verify(args.json, settings, release, words)
    if args.action == "pull":
        return run_pull(args, "lm", settings, words)
    if args.action == "try":
        return _try(args, settings, release, words)
    if args.action == "add":
        model = add_model(args.file, settings, release, dry_run=args.dry_run)
        key = "models.would-add" if args.dry_run else "models.added"
        narrate(words, key, name=model.id, megabytes=_megabytes(model.size))
        return ExitCode.DONE
    remove_model(find_model(settings, release, args.name), dry_run=args.dry_run)
    narrate(words, "models.would-remove" if args.dry_run else "models.removed", name=args.name)
    return ExitCode.DONE


def _list(as_json: bool, settings: Settings, release: Release, words: Words) -> int:
    here = installed_models(settings, release)
    absent = [
        artifact for artifact in release.artifacts if not artifact.embedded and artifact.kind in (*ENDINGS, "voice")
    ]
    if as_json:
        rows = [_row(model) for model in here]
        answer = {
            "release": release.number,
            "installed": rows,
            "catalogue": [asdict(a) for a in release.artifacts],
        }
        sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False)}\n")
        return ExitCode.DONE
    sys.stdout.write(f"{words.say('models.here')}\n")
    for model in here:
        about = _about(words, model.artifact, model.size)
        sys.stdout.write(f"  {model.id:<36} {about} {_may(words, model)}\n")
    sys.stdout.write(f"{words.say('models.elsewhere', count=len(absent))}\n")
    for artifact in absent:
        sys.stdout.write(f"  {artifact.id:<36} {_about(words, artifact, artifact.size)}\n")
    narrate(words, "models.unverified")
    return ExitCode.DONE


def _verify(as_json: bool, settings: Settings, release: Release, words: Words) -> int:
    found = {model.id: is_whole(model) for model in installed_models(settings, release)}
    if as_json:
        rows = [{"id": name, "good": good} for name, good in found.items()]
        sys.stdout.write(f"{json.dumps({'models': rows}, ensure_ascii=False)}\n")
    else:
        for name, good in found.items():
            sys.stdout.write(f"{words.say('models.good' if good else 'models.bad', name=name)}\n")
    return ExitCode.DONE if all(found.values()) else ExitCode.REFUSED


def _try(args: argparse.Namespace, settings: Settings, release: Release, words: Words) -> int:
    from edge.llama.brake import never
    from edge.tutor.adapter import refuse_other_base

    model = find_model(settings, release, args.model)
    if args.adapter is not None:
        refuse_other_base(args.adapter.stem, model.id, model.sha256)
    narrate(words, "models.trying", name=model.id)
    if closed := model.closed():
        names = ", ".join(words.say(f"models.capability.{name}") for name in closed)
        narrate(words, "models.may-not", names=names)
    prompt = args.prompt or words.say("models.sample")
    began, pieces = time.perf_counter(), 0
    with _opened(model, args.adapter, settings) as engine:
        loaded = time.perf_counter()
        messages: list[Message] = [
            {"role": "system", "content": words.say("models.system")},
            {"role": "user", "content": prompt},
        ]
        for piece in engine.stream(messages, max_tokens=max(1, args.max_tokens), stop=never):
            sys.stdout.write("".join(c for c in piece if c.isprintable() or c in "\n\t"))
            sys.stdout.flush()
            pieces += 1
    sys.stdout.write("\n")
    seconds = max(time.perf_counter() - loaded, 1e-6)
    narrate(
        words,
        "models.speed",
        load_ms=round(1000 * (loaded - began)),
        pieces=pieces,
        rate=round(pieces / seconds),
    )
    return ExitCode.DONE


def _opened(model: InstalledModel, adapter: Path | None, settings: Settings) -> Loaded:
    from edge.onnx.opening import open_engine
    from edge.tutor.llama import LlamaEngine
    from edge.tutor.tuning import tuning_for

    tuning = tuning_for(settings.home, model.sha256)
    if adapter is not None:
        return LlamaEngine.open(model.path, adapter=adapter, tuning=tuning)
    return open_engine(model.path, tuning=tuning)


def _row(model: InstalledModel) -> dict[str, Any]:
    open_to = {name: model.allows(name) for name in model.card.capabilities} if model.card else {}
    return {
        "id": model.id,
        "kind": model.kind,
        "path": str(model.path),
        "size": model.size,
        "embedded": model.embedded,
        # Its whole content was hashed when it came, and is what the catalogue names.
        "confirmed": model.artifact is not None,
        "may": open_to,
    }


def _about(words: Words, artifact: Artifact | None, size: int | None) -> str:
    unknown = words.say("models.unknown")
    languages = ",".join(artifact.languages) if artifact and artifact.languages else unknown
    licence = (artifact.licence if artifact else None) or unknown
    megabytes = _megabytes(size) if size else unknown
    return words.say("models.about", megabytes=megabytes, languages=languages, licence=licence)


def _may(words: Words, model: InstalledModel) -> str:
    if model.kind not in ENDINGS:
        return ""
    names = (
        [words.say(f"models.capability.{name}") for name in model.card.capabilities if model.allows(name)]
        if (model.card)
        else []
    )
    return words.say("models.may", names=", ".join(names)) if names else words.say("models.only-try")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"
