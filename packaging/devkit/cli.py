"""The command `amauta-kit`: what a field technician does. So far it plans; it copies nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from devkit.plan import LEAST_RAM_MB, Row, plan
from edge.command_line import ExitCode, Parser
from edge.device import ram_mb
from edge.errors import EdgeError
from edge.library.folder import EMBEDDED, pack_folders, read_head
from edge.release.manifest import embedded_release
from edge.settings import load
from edge.words import LANGUAGES, Words, words_for


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    lang = LANGUAGES[0]
    try:
        settings = load(os.environ)
        lang = settings.spoken_lang
        words = words_for("devkit", lang)
        parser = Parser(words_for("edge", lang), "amauta-kit", words.say("kit.overview"))
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="plan")
        planning = verbs.add_parser("plan", help=words.say("kit.help-plan"))
        planning.add_argument("--ram-mb", metavar="N", type=int, default=ram_mb(), help=words.say("kit.help-ram"))
        planning.add_argument("--lang", metavar="L", default=lang, help=words.say("kit.help-lang"))
        planning.add_argument("--json", action="store_true", help=words.say("kit.help-json"))
        args = parser.parse_args(argv)
        return _plan(args.ram_mb, args.lang, args.json, words)
    except EdgeError as error:
        sys.stderr.write(f"{error.say(lang)}\n")
        return ExitCode.REFUSED


def _plan(memory: int, lang: str, as_json: bool, words: Words) -> int:
    heads = [read_head(folder, []) for folder in pack_folders(EMBEDDED)]
    spoken = sorted({pack.lang for pack in heads})
    if lang not in spoken:
        sys.stderr.write(f"{words.say('kit.lang-wrong', lang=lang[:20], choices=', '.join(spoken))}\n")
        return ExitCode.REFUSED
    if memory < LEAST_RAM_MB:
        sys.stderr.write(f"{words.say('kit.ram-small', ram=memory, least=LEAST_RAM_MB)}\n")
        return ExitCode.REFUSED
    rows = plan(embedded_release(), [(pack.id, pack.lang, pack.folder) for pack in heads], lang, memory)
    if as_json:
        sys.stdout.write(f"{json.dumps([asdict(row) for row in rows])}\n")
        return ExitCode.DONE
    for row in rows:
        sys.stdout.write(f"{_line(row, words)}\n")
    more = sum(row.size for row in rows if not row.embedded)
    size = _megabytes(sum(row.size for row in rows))
    sys.stderr.write(f"{words.say('kit.total', size=size, ram=memory, more=_megabytes(more))}\n")
    return ExitCode.DONE


def _line(row: Row, words: Words) -> str:
    note = "here" if row.embedded else "there" if row.verified else "unproved"
    return words.say(
        "kit.row",
        what=words.say(f"kit.{row.what}"),
        name=row.name,
        size=_megabytes(row.size),
        note=words.say(f"kit.{note}"),
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
