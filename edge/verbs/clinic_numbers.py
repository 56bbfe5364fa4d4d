"""`amauta clinic numbers`: whom people are told to ring here, where each number comes from, and since when."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge.command_line import ExitCode, answer, narrate
from edge.errors import EdgeError
from edge.files import write_atomic
from edge.settings import Settings
from edge.tutor.numbers import NAME, Number, Numbers, as_toml, numbers_of, shipped, shipped_countries
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic numbers`."""
    parser.add_argument("--country", metavar="CC", help=words.say("verbs.clinic.numbers-country"))
    parser.add_argument("--template", metavar="FILE", type=Path, help=words.say("verbs.clinic.numbers-template"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """List the numbers in use, or those of another country, or write them as a file to change."""
    words = words_for("edge", settings.spoken_lang)
    found = numbers_of(settings)
    if args.country and args.country.upper() != found.country:
        country = args.country.upper()[:40]
        found = Numbers(country, shipped(country))
    if args.template:
        return _template(args, found, words)
    facts = {
        "country": found.country,
        "file": str(found.own) if found.own else None,
        "overridden": found.own is not None,
        "trouble": found.trouble.say(words.lang) if found.trouble else None,
        "numbers": [_facts(one) for one in found.known],
        "replaced": [_facts(one) for one in found.replaced],
    }
    answer(args, facts)
    if not args.json:
        _print(found, words)
    if found.trouble is not None:
        sys.stderr.write(f"{found.trouble.say(words.lang)}\n")
    elif not found.country:
        narrate(words, "clinic.numbers-unknown")
    elif not found.known and found.own is None:
        narrate(words, "clinic.numbers-country-none", country=found.country, known=", ".join(shipped_countries()))
    narrate(words, "clinic.numbers-call", path=settings.home / NAME)
    return ExitCode.REFUSED if found.trouble else ExitCode.DONE


def _template(args: argparse.Namespace, found: Numbers, words: Words) -> int:
    """Write the numbers as a file to change by hand; a file that is there already may hold somebody's own."""
    path: Path = args.template
    if path.exists():
        raise EdgeError("numbers-exists", path=path)
    try:
        write_atomic(path, as_toml(found.country, found.known).encode())
    except OSError as error:
        raise EdgeError("numbers-write", path=path, reason=error.strerror or str(error)) from error
    answer(args, {"country": found.country, "path": str(path)})
    narrate(words, "clinic.numbers-template", path=path, count=len(found.known))
    return ExitCode.DONE


def _facts(one: Number) -> dict[str, Any]:
    return {"number": one.number, "name": one.name, "for": list(one.purposes), "source": one.source, "year": one.year}


def _print(found: Numbers, words: Words) -> None:
    if found.country:
        path = words.say("clinic.numbers-own", path=found.own) if found.own else words.say("clinic.numbers-shipped")
        head = words.say("clinic.numbers-head", country=found.country, count=len(found.known), path=path)
        sys.stdout.write(f"{head}\n")
    for one in found.known:
        purposes = ", ".join(words.say(f"clinic.purpose-{name}") for name in one.purposes)
        row = {"name": one.name, "number": one.number, "year": one.year or "?", "source": one.source or "-"}
        sys.stdout.write(f"{words.say('clinic.numbers-row', purposes=purposes, **row)}\n")
    kept = {one.number for one in found.known}
    for one in found.replaced:
        if one.number not in kept:
            row = {"name": one.name, "number": one.number, "year": one.year}
            sys.stdout.write(f"{words.say('clinic.numbers-replaced', **row)}\n")
