"""`amauta-kit code`: what the twelve characters tell that somebody dictates by phone."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from devkit.errors import KitError
from edge.command_line import ExitCode
from edge.diagnostic_code import LENGTH, Diagnosis, decode
from edge.errors import EdgeError
from edge.learning.roster import decode as text_of
from edge.settings import Settings
from edge.verbs.doctor import print_diagnosis
from edge.words import Words, words_for

HEADINGS = ("code", "codigo", "código")
LARGEST_BYTES = 2_000_000


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `code`."""
    parser.add_argument("codes", metavar="XXXX-XXXX-XXXX", nargs="*", help=words.say("code.help-codes"))
    parser.add_argument("--csv", metavar="FILE", type=Path, help=words.say("code.help-csv"))
    parser.add_argument("--json", action="store_true", help=words.say("kit.help-json"))


def run(args: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Explain every code; a wrong one is named and does not keep the others back."""
    codes = _joined(args.codes) + (codes_in(args.csv) if args.csv else [])
    if not codes:
        raise KitError("code-none")
    found: list[tuple[str, Diagnosis]] = []
    failed = False
    for code in codes:
        try:
            found.append((code, decode(code)))
        except EdgeError as error:
            sys.stderr.write(f"{error.say(words.lang)}\n")
            failed = True
    if args.json:
        answer = [{"code": code, **asdict(diagnosis)} for code, diagnosis in found]
        sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False)}\n")
    for code, diagnosis in () if args.json else found:
        sys.stdout.write(f"{code}\n")
        print_diagnosis(diagnosis, words_for("edge", words.lang))
    return ExitCode.REFUSED if failed else ExitCode.DONE


def _joined(given: list[str]) -> list[str]:
    """Put together a code that was typed with spaces: `ABCD EFGH JKMN` is one."""
    short = [part for part in given if len(part.replace("-", "")) < LENGTH]
    return ["".join(given)] if len(short) == len(given) > 1 else list(given)


def codes_in(path: Path) -> list[str]:
    """Return the codes of a table: of its column `code`, else of its first one; raise KitError when unreadable."""
    try:
        with path.open("rb") as file:
            text = text_of(file.read(LARGEST_BYTES))
        first = text.lstrip().partition("\n")[0]
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count)))
    except OSError as error:
        raise KitError("depot-unreadable", path=path, reason=error.strerror or str(error)) from error
    except csv.Error as error:
        raise KitError("depot-unreadable", path=path, reason=str(error)) from error
    return list(_column(lines))


def _column(lines: list[list[str]]) -> Iterator[str]:
    headings = [cell.strip().casefold() for cell in lines[0]] if lines else []
    at = next((at for at, heading in enumerate(headings) if heading in HEADINGS), None)
    for line in lines[0 if at is None else 1 :]:
        cell = line[at or 0].strip() if len(line) > (at or 0) else ""
        if cell:
            yield cell
