"""Keep what C code says to itself off the screen: it goes to a log in Amauta's folder, which stays small.

llama.cpp, ggml and OpenMP write to the standard error of the process, below Python. After `divert` that is the log;
what Python writes still reaches the person. Programs that are started from here say what they say to the log too.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

LOG = "engine.log"
MOST_BYTES = 256 << 10
STDERR = 2


def divert(home: Path) -> None:
    """Let C code write to the log from now on; where nothing can be written, to nowhere.

    Where something else than the process's own standard error is in use already, nothing changes.
    """
    plain = sys.__stderr__
    if plain is None or sys.stderr is not plain or plain.closed or plain.fileno() != STDERR:
        return
    # A program that ends itself would start a debugger first, which can wait for ever.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    plain.flush()
    shown = os.fdopen(os.dup(STDERR), "w", encoding=plain.encoding, errors=plain.errors, buffering=1)
    log = _open(home)
    os.dup2(log, STDERR)
    os.close(log)
    sys.stderr = shown
    sys.__stderr__ = shown  # type: ignore[misc]


def diverted() -> bool:
    """Tell whether C code writes to a log, or somewhere else than Python does."""
    return sys.__stderr__ is not None and not sys.__stderr__.closed and sys.__stderr__.fileno() != STDERR


def note(text: str) -> None:
    """Write to the log, if there is one; begin anew where it became too long."""
    if not diverted():
        return
    with suppress(OSError):
        if os.fstat(STDERR).st_size > MOST_BYTES:
            os.ftruncate(STDERR, 0)
        os.write(STDERR, text.encode("utf-8", "replace"))


def _open(home: Path) -> int:
    try:
        home.mkdir(parents=True, exist_ok=True)
        path = home / LOG
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(path.with_suffix(".old.log"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
