"""End a computation of llama.cpp soon after somebody wants it to end, with no Python in its way while it computes.

llama.cpp asks before each of some hundred small steps a token takes. Asked in Python, every one of them would wait for
whatever else the program is doing just then: drawing its screen, serving a class. So it asks a function of C that reads
one byte, and a thread beside it looks now and then whether that byte is to be set.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Stop = Callable[[], bool]

LOOK_SECONDS, LOOKS = 0.02, 50
"""How often the thread looks, and how many times when nothing is computed before it sleeps until something is."""

GO, HALT = b"\0", b"\1"


def never() -> bool:
    """Never stop."""
    return False


class Brake:
    """The brake of one llama.cpp context; close it with its context."""

    def __init__(self, api: Any, context: Any) -> None:
        self._flag = ctypes.create_string_buffer(2)  # a text of no letters, or of one
        self._ask = ctypes.cast(_length_of_text(), api.ggml_abort_callback)
        api.llama_set_abort_callback(context, self._ask, ctypes.cast(self._flag, ctypes.c_void_p))
        self._changed = threading.Condition()
        self._stop: Stop | None = None
        self._watcher: threading.Thread | None = None
        self._asleep, self._open = False, True

    def close(self) -> None:
        """Let the thread end."""
        with self._changed:
            self._open = False
            self._changed.notify()

    @contextmanager
    def ready(self, stop: Stop) -> Iterator[None]:
        """While inside, what llama.cpp computes ends soon after `stop()`, at once where that holds already."""
        if stop is never:
            yield
            return
        with self._changed:
            self._flag[0] = HALT if stop() else GO
            self._stop = stop
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="brake", daemon=True)
                self._watcher.start()
            elif self._asleep:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._stop, self._flag[0] = None, GO

    def _watch(self) -> None:
        quiet = 0
        with self._changed:
            while self._open:
                if self._stop is not None and self._stop():
                    self._flag[0] = HALT
                quiet = 0 if self._stop is not None else quiet + 1
                self._asleep = quiet > LOOKS
                self._changed.wait(None if self._asleep else LOOK_SECONDS)


def _length_of_text() -> Any:
    """Return C's strlen: true, as llama.cpp reads what it returns, once the text is not empty."""
    return (ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)).strlen
