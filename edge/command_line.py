"""argparse in the user's own language, and the exit codes of every command.

argparse speaks English in its headings and errors; here the words come from `strings/`.
"""

from __future__ import annotations

import argparse
import enum
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import IO, Any, NoReturn

from edge.errors import EdgeError
from edge.settings import Settings, load
from edge.words import LANGUAGES, Value, Words


class ExitCode(enum.IntEnum):
    """What a command tells the shell."""

    DONE = 0
    REFUSED = 1
    """Refused or failed, with one clear sentence and a hint on stderr."""

    USAGE = 2
    """The command was written wrongly."""


INTERRUPTED = 130


def run_guarded(
    environ: Mapping[str, str],
    work: Callable[[Settings], int],
    first: Callable[[Mapping[str, str]], None] | None = None,
) -> int:
    """Read the settings and do `work` with them; what stops it becomes one sentence and an exit code.

    `first` happens before the settings are read.
    """
    lang = environ.get("AMAUTA_LANG", LANGUAGES[0])
    try:
        _speak_utf8()
        if first is not None:
            first(environ)
        settings = load(environ)
        lang = settings.spoken_lang
        return work(settings)
    except EdgeError as error:
        sys.stderr.write(f"{error.say(lang)}\n")
        return ExitCode.REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def answer(args: argparse.Namespace, facts: dict[str, Any]) -> None:
    """Print what a command found as JSON, where that was asked for; a program that listens gets it at once."""
    if args.json:
        sys.stdout.write(f"{json.dumps(facts, ensure_ascii=False)}\n")
        sys.stdout.flush()


def narrate(words: Words, key: str, **facts: Value) -> None:
    """Say on stderr what happens."""
    sys.stderr.write(f"{words.say(key, **facts)}\n")
    sys.stderr.flush()


def _speak_utf8() -> None:
    """Windows consoles and LANG=C pipes would break on accents."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose headings and errors are in the user's language."""

    def __init__(self, words: Words, prog: str, description: str = "", epilog: str = "") -> None:
        super().__init__(prog=prog, description=description, epilog=epilog, add_help=False, allow_abbrev=False)
        self.words = words
        self._positionals.title = words.say("usage.arguments")
        self._optionals.title = words.say("usage.options")
        self.add_argument("-h", "--help", action="help", help=words.say("usage.help"))

    def add_subparsers(self, **settings: Any) -> Any:
        """Give the actions of a verb parsers that speak the same language."""
        return super().add_subparsers(**{"parser_class": partial(Parser, self.words), **settings})

    def format_usage(self) -> str:
        """Return the usage line, with its first word translated."""
        return super().format_usage().replace("usage:", f"{self.words.say('usage.usage')}:", 1)

    def format_help(self) -> str:
        """Return the whole help, with its first word translated."""
        return super().format_help().replace("usage:", f"{self.words.say('usage.usage')}:", 1)

    def error(self, message: str) -> NoReturn:
        """Say that the command was written wrongly, how to write it, and leave with exit code 2."""
        what = self.words.say("usage.wrong", reason=self._translated(message))
        self.exit(ExitCode.USAGE, f"{self.format_usage()}{what}\n{self.words.say('usage.do', command=self.prog)}\n")

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse; what is left over is named as unknown."""
        known, extra = self.parse_known_args(args, namespace)
        if extra:
            self.error(self.words.say("usage.unknown", text=" ".join(extra)))
        return known

    def _translated(self, message: str) -> str:
        for english, key in _ENGLISH:
            if english in message:
                return self.words.say(key, text=message.split(":", 1)[-1].strip())
        return message

    def _print_message(self, message: str, file: IO[str] | None = None) -> None:  # type: ignore[override]
        (file or sys.stderr).write(message)


_ENGLISH: Iterable[tuple[str, str]] = (
    ("the following arguments are required", "usage.missing"),
    ("expected one argument", "usage.value"),
    ("expected at least one argument", "usage.value"),
    ("unrecognized arguments", "usage.unknown"),
    ("invalid choice", "usage.choice"),
    ("invalid int value", "usage.number"),
    ("not allowed with", "usage.together"),
)
