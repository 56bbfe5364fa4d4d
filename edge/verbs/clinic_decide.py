"""`amauta clinic decide`: what a table says to some answers, as text or JSON. Shows; `edge.triage.run` decides."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from edge.command_line import ExitCode, answer
from edge.settings import Settings
from edge.triage.age import read_date
from edge.triage.answers import read_answers, written
from edge.triage.condition import Answer
from edge.triage.errors import TriageError
from edge.triage.overlay_shelf import dressed
from edge.triage.parts import Table, in_language, lines_in
from edge.triage.run import Decision, decide, decision_facts
from edge.triage.say import approval_of, decision_lines
from edge.triage.shelf import find_table
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic decide`."""
    parser.add_argument("table", metavar="TABLE", help=words.say("verbs.clinic.table"))
    parser.add_argument("answers", metavar="NAME=VALUE", nargs="*", help=words.say("verbs.clinic.answers"))
    parser.add_argument("--on", metavar="DATE", help=words.say("verbs.clinic.on"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Say what the table says."""
    words = words_for("edge", settings.spoken_lang)
    table = find_table(args.table, settings)
    if not args.json:  # programs read the table's own words
        table = dressed(table, settings)
    on = read_date(args.on) if args.on else datetime.now(UTC).astimezone().date()
    answers = read_answers(table, _pairs(args.answers), on)
    decision = decide(table, answers)
    answer(args, _facts(table, answers, decision, words))
    if not args.json:
        sys.stdout.write("".join(f"{line}\n" for line in decision_lines(table, decision, words)))
    return ExitCode.DONE


def _facts(table: Table, answers: dict[str, Answer], decision: Decision, words: Words) -> dict[str, Any]:
    outcome = next(one for one in table.outcomes if one.id == decision.outcome)
    return {
        "table": table.id,
        "version": table.version,
        "sha256": table.sha256,
        "approved": table.approval is not None,
        "approval": approval_of(table, words),
        "answers": {name: written(given) for name, given in answers.items()},
        "title": in_language(outcome.title, words.lang),
        "steps": list(lines_in(outcome.do, words.lang)),
        **decision_facts(decision),
    }


def _pairs(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark or not name.strip() or name.strip() in pairs:
            raise TriageError("answer-form", text=text[:60])
        pairs[name.strip()] = value
    return pairs
