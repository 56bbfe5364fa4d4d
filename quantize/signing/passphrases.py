"""Ask for the passphrase of a key where nobody sees it, or read it from a file.

It is never part of a command, where every user of the machine could read it.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from quantize.recipe import RecipeError
from quantize.signing.keys import KeyFile


def from_file(path: Path | None) -> str:
    """Return the first line of a file; empty when there is no file to read."""
    if path is None:
        return ""
    try:
        first = path.read_text(encoding="utf-8").splitlines()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError("key-unreadable", path=path, reason=str(error)) from error
    if not first or not first[0]:
        raise RecipeError("key-no-passphrase", path=path)
    return first[0]


def asked(key: KeyFile) -> str:
    """Ask for the passphrase of a key."""
    _need_terminal()
    return getpass.getpass(f"Passphrase of {key.public.name} ({key.public.role}): ")


def chosen(name: str) -> str:
    """Ask twice for a new passphrase."""
    _need_terminal()
    first = getpass.getpass(f"New passphrase for {name}: ")
    if getpass.getpass("Once more: ") != first:
        raise RecipeError("key-mistyped")
    return first


def _need_terminal() -> None:
    if not sys.stdin.isatty():
        raise RecipeError("key-no-terminal")
