"""Where pupils' apps come from on Linux: one process opens everything once, and each app is a fork of it.

What was opened is shared, so that another pupil costs little memory and starts at once. The nursery is forked from the
server before the server starts a thread, and has no thread of its own: a fork with threads could stand still.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edge.errors import EdgeError
from edge.settings import Settings

if TYPE_CHECKING:
    from edge.library.library import Library
    from edge.tutor.turn import Tutor

ENVIRON = {
    "TEXTUAL_COLOR_SYSTEM": "truecolor",
    "TEXTUAL_FPS": "15",
    "TEXTUAL_ANIMATIONS": "none",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""Read by the libraries when they are imported. Thirty pupils share few cores: one thread each, few frames."""

QUESTIONS = {"es": "¿de qué está hecho el viento del norte?", "pt": "de que é feito o vento do norte?"}
"""Nobody answers them; looking opens the search, its judges and the reader."""

READY, NONE = b".", b"0"
LOG = "classroom.log"
"""In Amauta's folder: what went wrong in an app, for whoever mends it; anew each time."""

LARGEST_WISH = 4096
REAP_SECONDS = 1.0


class Nursery:
    """The server's end: asks for apps."""

    def __init__(self, line: socket.socket, process: int) -> None:
        self._line, self._process = line, process

    @classmethod
    def open(cls, settings: Settings, model: str) -> Nursery:
        """Begin the process; call it before any thread or event loop of this program begins.

        `model` is the one that the class's engine may run, or nothing.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = os.fork()
        if process == 0:
            ours.close()
            _live(theirs, settings, model)
        theirs.close()
        return cls(ours, process)

    def wait(self) -> None:
        """Return when everything is open; raise the EdgeError that says why it cannot be."""
        content = self._line.recv(LARGEST_WISH)
        if content != READY:
            trouble = json.loads(content or b'{"key": "classroom-unready", "values": {}}')
            raise EdgeError(trouble["key"], **trouble["values"])

    def bear(self, width: int, height: int, learner: str) -> tuple[int, int, int]:
        """Begin an app; return its number and the ends to write to it and to read from it."""
        to_app, ours_out = os.pipe()
        ours_in, from_app = os.pipe()
        wish = json.dumps({"width": width, "height": height, "learner": learner}).encode()
        try:
            socket.send_fds(self._line, [wish], [to_app, from_app])
        finally:
            os.close(to_app)
            os.close(from_app)
        number = int(self._line.recv(LARGEST_WISH) or NONE)
        if not number:
            os.close(ours_out)
            os.close(ours_in)
            raise OSError(errno.EAGAIN, "no app could be forked")
        return number, ours_out, ours_in

    def kill(self, number: int) -> None:
        """End an app at once, if it is still one."""
        with suppress(OSError):
            self._line.send(json.dumps({"kill": number}).encode())

    def close(self) -> None:
        """End the nursery and every app that is left in it."""
        self._line.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _live(line: socket.socket, settings: Settings, model: str) -> NoReturn:
    """Open everything, then fork an app for each wish until the server is gone."""
    os.setsid()  # Ctrl+C is the server's matter.
    code = 1
    try:
        _write_to(settings.home / LOG)
        os.environ.update(ENVIRON)
        library, tutor = opened(settings, model)
        gc.collect()
        gc.freeze()
        line.send(READY)
        _serve(line, settings, library, tutor)
        code = 0
    except EdgeError as error:
        values = {name: str(value) for name, value in error.values.items()}
        line.send(json.dumps({"key": error.key, "values": values}).encode())
    finally:
        _end(code)


def _write_to(path: Path) -> None:
    """Let nothing of the apps come onto the teacher's screen."""
    try:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def opened(settings: Settings, model: str, *, warm: bool = True) -> tuple[Library, Tutor]:
    """Open what every pupil needs; warm, also what is otherwise read with the first question, and the screens' code."""
    from edge.library.library import Library
    from edge.tutor.engine import ShapingEngine
    from edge.tutor.numbers import numbers_of
    from edge.tutor.reader import Reader
    from edge.tutor.turn import Tutor
    from edge.tutor.workshop import class_coach, class_engine

    library = Library.open(settings)

    # One thread means none beside the caller's, so that a fork of it works. The model is a process of its own.
    @cache
    def reader() -> Reader:
        return Reader.open(threads=1)

    def engine() -> ShapingEngine | None:
        return class_engine(settings, model) if model else None

    coach = class_coach(settings, library, engine)
    tutor = Tutor(library, reader, engine, numbers=lambda: numbers_of(settings), coach=coach)
    if warm:
        from tui.classroom.rehearsal import rehearse

        for lang in {row.lang for row in library.lessons()} & set(QUESTIONS):
            list(tutor.answer(QUESTIONS[lang], lang=lang))
        rehearse(settings, library, tutor)
    return library, tutor


def _serve(line: socket.socket, settings: Settings, library: Library, tutor: Tutor) -> None:
    """Fork an app for each wish until nobody is left who wishes."""
    apps: set[int] = set()
    while True:
        asked = select.select([line], [], [], REAP_SECONDS)[0]
        while apps and (ended := os.waitpid(-1, os.WNOHANG)[0]):
            apps.discard(ended)
        if not asked:
            continue
        content, ends, _, _ = socket.recv_fds(line, LARGEST_WISH, 2)
        if not content:
            break
        wish = json.loads(content)
        if "kill" in wish:
            _kill({wish["kill"]} & apps, signal.SIGKILL)
            continue
        number = NONE
        with suppress(OSError):  # No memory, or too many processes.
            app = os.fork()
            if app == 0:
                line.close()
                _be_an_app(wish, ends, settings, library, tutor)
            apps.add(app)
            number = str(app).encode()
        for end in ends:
            os.close(end)
        line.send(number)
    _kill(apps, signal.SIGTERM)


def _kill(apps: set[int], how: signal.Signals) -> None:
    for app in apps:
        with suppress(ProcessLookupError):
            os.kill(app, how)


def _be_an_app(
    wish: dict[str, str | int], ends: list[int], settings: Settings, library: Library, tutor: Tutor
) -> NoReturn:
    """Be the app of one pupil until it ends."""
    code = 1
    try:
        for number, end in enumerate(ends):
            os.dup2(end, number)
            os.close(end)
        os.environ.update(COLUMNS=str(wish["width"]), ROWS=str(wish["height"]))
        from tui.classroom.pupil import PupilApp, PupilServices

        PupilApp(PupilServices(settings, library, tutor, str(wish["learner"]))).run()
        code = 0
    finally:
        _end(code)


def _end(code: int) -> NoReturn:
    """End this fork without what the server's process would do at its end."""
    if sys.exc_info()[0] is not None:
        sys.excepthook(*sys.exc_info())
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)
