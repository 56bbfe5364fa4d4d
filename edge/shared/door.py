"""A door on this machine: whoever knocks gets a thread, and when the door has closed nobody is left inside.

It knows nothing of what is talked about.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from edge.shared import wire

PAUSE_S = 0.05
"""Before knocking is heard again when nobody could be let in, for example because too many files are open."""


@contextmanager
def open_door(talk: Callable[[socket.socket], None], most: int) -> Iterator[int]:
    """Give everybody who connects to `talk`, so many at once at the most; yield the port.

    At the end whoever is inside is cut off, and every `talk` has returned.
    """
    inside: dict[socket.socket, threading.Thread] = {}
    over, lock = threading.Event(), threading.Lock()

    def attend(session: socket.socket) -> None:
        try:
            # Who hangs up in the middle is no trouble.
            with session, suppress(OSError):
                talk(session)
        finally:
            with lock:
                del inside[session]

    def listen() -> None:
        while not over.is_set():
            try:
                session, _ = door.accept()
            except OSError:
                over.wait(PAUSE_S)
                continue
            with lock:
                if over.is_set() or len(inside) >= most:
                    session.close()
                    continue
                inside[session] = thread = threading.Thread(target=attend, args=(session,), daemon=True)
            thread.start()

    with socket.create_server((wire.HOST, 0)) as door:
        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        try:
            yield door.getsockname()[1]
        finally:
            over.set()
            # Closing a door wakes nobody who waits at it; a knock does.
            with suppress(OSError):
                socket.create_connection(door.getsockname(), 1).close()
            listening.join()
            with lock:
                left = dict(inside)
            for session, thread in left.items():
                with suppress(OSError):
                    session.shutdown(socket.SHUT_RDWR)
                thread.join()
