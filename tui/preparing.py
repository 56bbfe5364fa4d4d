"""Lessons read ahead while nobody asks: a thread of its own, so that the app goes on. Knows nothing of Textual."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.settings import Settings

if TYPE_CHECKING:
    from edge.library.library import Library
    from edge.tutor.prepare import Progress

END_S = 5.0
"""Reading ends within a moment; loading a model cannot be cut short, and is not waited for longer than this."""


class Preparing:
    """The work, how far it is, and what ended it."""

    def __init__(self, settings: Callable[[], Settings], library: Callable[[], Library]) -> None:
        self._settings, self._library = settings, library
        self._stopped = Event()
        self._thread: Thread | None = None
        self.progress: Progress | None = None
        """How far it is, or was when it ended."""

        self.trouble: EdgeError | None = None
        """Why it ended too early."""

    @property
    def working(self) -> bool:
        """Whether it is at it now."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, where it is not at it already."""
        if not self.working:
            self._stopped.clear()
            self.progress = self.trouble = None
            self._thread = Thread(target=self._work, name="preparing", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let it end within a moment; what is ready stays."""
        self._stopped.set()

    def close(self) -> None:
        """End it and wait for that."""
        self.stop()
        if self._thread is not None:
            self._thread.join(END_S)

    def _work(self) -> None:
        from edge.tutor import workshop
        from edge.tutor.prepare import prepare, tomorrow

        settings = self._settings()
        try:
            model = workshop.model_to_prepare(settings)
            library = self._library()
            with workshop.open_model(settings, model) as engine:
                for progress in prepare(engine, library, tomorrow(library, settings), self._stopped.is_set):
                    self.progress = progress
        except EdgeError as error:
            self.trouble = error
