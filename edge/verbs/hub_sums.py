"""`amauta hub sums`: bring what reports read up to date, work it out anew, or compare it with the answers themselves."""

from __future__ import annotations

import argparse
import sys
from time import monotonic

from edge.command_line import ExitCode, answer, narrate
from edge.hub.database import Database
from edge.hub.errors import HubError
from edge.hub.place import Place
from edge.hub.reports import sums
from edge.words import Words

_SILENT_S = 2.0
_NAMED = 5
"""Schools that a sentence names."""


class Going:
    """Says how far something is that takes a while: one line on a terminal, else a line for each tenth."""

    def __init__(self, words: Words, key: str) -> None:
        self._words, self._key = words, key
        self._most = self._tenth = 0
        self._begun = monotonic()

    def left(self, schools: int) -> None:
        """So many schools are left."""
        self._most = max(self._most, schools)
        if monotonic() - self._begun < _SILENT_S or not self._most:
            return
        done = self._most - schools
        line = self._words.say(self._key, done=done, all=self._most)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line}\x1b[K" + ("\n" if not schools else ""))
        elif (tenth := 10 * done // self._most) > self._tenth:
            self._tenth = tenth
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def configure(parser: argparse.ArgumentParser, words: Words) -> None:
    """Add the arguments of `hub sums`."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--check", action="store_true", help=words.say("verbs.hub-sums.check"))
    chosen.add_argument("--rebuild", action="store_true", help=words.say("verbs.hub-sums.rebuild"))


def run(args: argparse.Namespace, _place: Place, database: Database, words: Words) -> int:
    """Do what was asked with the sums."""
    if args.rebuild:
        sums.begin_anew(database)
    catch_up(database, words)
    [(schools,)] = database.rows("SELECT count(*) FROM schools")
    if not args.check:
        answer(args, {"schools": schools})
        narrate(words, "reports.sums", schools=schools)
        return ExitCode.DONE
    going = Going(words, "reports.sums-checking")
    wrong, checked = [], 0
    going.left(schools)
    for code, differs in sums.different(database):
        checked += bool(code)
        wrong += [code or words.say("reports.all-schools")] if differs else []
        going.left(max(schools - checked, 0))
    answer(args, {"schools": checked, "different": wrong})
    if wrong:
        raise HubError("sums-different", count=len(wrong), schools=", ".join(wrong[:_NAMED]))
    narrate(words, "reports.sums-right", schools=checked)
    return ExitCode.DONE


def catch_up(database: Database, words: Words) -> None:
    """Bring the sums up to date, and say how far it is where it takes a while."""
    sums.catch_up(database, tell=Going(words, "reports.sums-going").left)
