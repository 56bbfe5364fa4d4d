"""`amauta clinic vaccines`: what a country's vaccination schedule gives at an age. Shows; the data is a schedule's."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.command_line import ExitCode, answer
from edge.settings import Settings
from edge.triage.parts import in_language
from edge.triage.vaccines import OLDEST_MONTHS, Dose, Schedule, schedule_of, schedules
from edge.words import Words, words_for


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `clinic vaccines`."""
    parser.add_argument("country", metavar="COUNTRY", nargs="?", help=words.say("verbs.clinic.country"))
    ages = range(OLDEST_MONTHS + 1)
    parser.add_argument("--age", metavar="MONTHS", type=int, choices=ages, help=words.say("verbs.clinic.age"))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Show which schedules there are, one whole, or what it gives at an age."""
    words = words_for("edge", settings.spoken_lang)
    names = [args.country] if args.country else sorted(schedules(settings))
    found = [schedule_of(name.lower(), settings) for name in names]
    answer(args, {"schedules": [_facts(one, args.age, words) for one in found]})
    if not args.json:
        for one in found:
            _tell(one, args.age, whole=bool(args.country), words=words)
    return ExitCode.DONE


def _tell(schedule: Schedule, age: int | None, whole: bool, words: Words) -> None:
    lines = [words.say("clinic.schedule", country=schedule.country, title=in_language(schedule.title, words.lang),
                       year=schedule.year, source=schedule.source, publisher=schedule.publisher,
                       approval=words.say("clinic.pending"))]  # fmt: skip
    if whole and age is None:
        lines += [_line(dose, words) for dose in schedule.doses]
    elif age is not None:
        for key, doses in (("due-now", schedule.at(age)), ("due-next", schedule.next(age))):
            lines += [words.say(f"clinic.{key}"), *(_line(dose, words) for dose in doses)] if doses else []
        lines.append(words.say("clinic.due-card", count=len(schedule.until(age))))
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _line(dose: Dose, words: Words) -> str:
    note = f" ({in_language(dose.note, words.lang)})" if dose.note else ""
    return words.say(
        "clinic.due", months=dose.months, title=in_language(dose.title, words.lang), dose=dose.which, note=note
    )


def _facts(schedule: Schedule, age: int | None, words: Words) -> dict[str, Any]:
    def listed(doses: tuple[Dose, ...]) -> list[dict[str, Any]]:
        return [
            {"months": dose.months, "vaccine": dose.vaccine, "dose": dose.which,
             "title": in_language(dose.title, words.lang), "note": in_language(dose.note, words.lang)}
            for dose in doses
        ]  # fmt: skip

    facts = {
        "country": schedule.country,
        "year": schedule.year,
        "title": in_language(schedule.title, words.lang),
        "source": schedule.source,
        "publisher": schedule.publisher,
        "checked": schedule.checked,
        "approved": False,
    }
    if age is None:
        return facts | {"doses": listed(schedule.doses)}
    return facts | {"age_months": age, "now": listed(schedule.at(age)), "next": listed(schedule.next(age)),
                    "until_now": listed(schedule.until(age))}  # fmt: skip
