"""A person at a real terminal: types, and reads what is on the screen. Unix only (pexpect)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest

ROOT = Path(__file__).parent.parent

START = "import sys; from tui.cli import main; sys.exit(main([]))"

KEYS = {
    "xterm-256color": {
        "F3": "\x1bOR",
        "F6": "\x1b[17~",
        "F8": "\x1b[19~",
        "F10": "\x1b[21~",
        "down": "\x1b[B",
    },
    "linux": {"F3": "\x1b[[C", "F6": "\x1b[17~", "F8": "\x1b[19~", "F10": "\x1b[21~", "down": "\x1b[B"},
}

PATIENCE_SECONDS = 90.0


class Terminal:
    """A person at an 80x24 terminal: she types, and reads what is there."""

    def __init__(self, kind: str, home: Path) -> None:
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.Stream(self._screen)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("AMAUTA_", "TEXTUAL"))}
        environ |= {"TERM": kind, "AMAUTA_HOME": str(home), "COLORTERM": ""}
        environ.pop("NO_COLOR", None)
        self.child = pexpect.spawn(
            sys.executable, ["-c", START], env=environ, dimensions=(24, 80), cwd=str(ROOT), encoding="utf-8"
        )
        self.keys = KEYS[kind]

    def text(self) -> str:
        """Return what is on the screen now, as one line."""
        return " ".join(" ".join(self._screen.display).replace("│", " ").split())

    def wait_for(self, *choices: str) -> None:
        """Read until one of the sentences is on the screen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not any(words in self.text() for words in choices):
            assert time.monotonic() < end, f"{choices} never came; the screen says: {self.text()}"
            try:
                self._stream.feed(self.child.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                pytest.fail(f"the app ended; the screen says: {self.text()}")

    def press(self, *keys: str) -> None:
        """Press keys by name, or type text."""
        for key in keys:
            self.child.send(self.keys.get(key, key))
