"""The engine as one pupil's session sees it: the same as a model of its own, with a queue before it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.shared import wire
from edge.tutor.engine import Message, Shape
from edge.tutor.reply import Waiting

CONNECT_S, TICK_S = 2.0, 0.1
SILENCE_S = 30.0
"""An engine that says nothing for so long is as good as gone."""


class SharedEngine:
    """An Engine that asks the process announced in a folder; that process may come and go."""

    def __init__(self, home: Path, who: str) -> None:
        place = wire.found(home)
        self.name = place.model if place else ""
        self.context_tokens = place.room if place else 0
        self._home, self._who = home, who

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Callable[[], bool],
        shape: Shape | None = None,
    ) -> Iterator[str | Waiting]:
        """Yield our place in the queue while we wait, then the answer piece by piece.

        Raises ModelError when the engine is away, is lost or refuses.
        """
        place = wire.found(self._home)
        if place is None:
            raise ModelError("engine-away")
        asked = {
            "secret": place.secret,
            "who": self._who,
            "messages": list(messages),
            "most": max_tokens,
            "shape": shape,
        }
        try:
            with socket.create_connection((wire.HOST, place.port), CONNECT_S) as link:
                link.sendall(wire.line(asked))
                link.settimeout(TICK_S)
                for facts in _lines(link, stop):
                    if "piece" in facts:
                        yield str(facts["piece"])
                    elif "place" in facts:
                        yield Waiting(int(facts["place"]), float(facts["seconds"]))
                    elif "error" in facts:
                        raise ModelError(str(facts["error"]), **dict(facts["values"]))
                    elif "end" in facts:
                        return
        except ConnectionRefusedError as error:
            raise ModelError("engine-away") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError("engine-lost") from error


def _lines(link: socket.socket, stop: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Yield what the engine says until it or we hang up; raise ConnectionError when it ends without a last word."""
    content, heard = b"", time.monotonic()
    while not stop():
        try:
            more = link.recv(1 << 16)
        except TimeoutError:
            if time.monotonic() - heard > SILENCE_S:
                raise
            continue
        if not more:
            raise ConnectionResetError("engine closed")
        heard = time.monotonic()
        *whole, content = (content + more).split(b"\n")
        for each in whole:
            yield wire.read(each)
            if stop():
                return
