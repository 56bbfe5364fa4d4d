"""A line as bad as there is, between a device and a hub, and a proxy as offices have them: real sockets, nothing pretended.

`Line` passes bytes on at so many a second, falls silent, is cut, and loses answers, when so many bytes have gone up.
It keeps what passed, so that a test can count what was sent twice.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from urllib.parse import urlsplit

from edge.sync.wire.client import Chance

SPEED = float(os.environ.get("AMAUTA_LINE_SPEED", "10"))
"""How many times faster than 64 kbit/s everything goes, pauses and patience too; AMAUTA_LINE_SPEED=1 is the line itself."""

BYTES_PER_S = 8000
_PIECE = 400
_REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.DOTALL)
_ANSWER = re.compile(rb"HTTP/1\.1 ([0-9]+) [^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)


def chance() -> Chance:
    """The time of the line."""
    return Chance(sleep=lambda seconds: time.sleep(seconds / SPEED), clock=lambda: time.monotonic() * SPEED)


@dataclass(frozen=True, slots=True)
class Request:
    """What a device asked, and how much of the body got through."""

    method: str
    path: str
    offset: int
    length: int
    """Of the body, as announced."""

    body: int
    """Bytes of it that got through."""

    told: int | None
    """The offset in the answer, when one arrived."""


@dataclass
class Talk:
    """One connection."""

    near: socket.socket
    far: socket.socket
    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)

    def requests(self) -> list[Request]:
        """What was asked here about bundles, in its order."""
        told = [
            int(head["upload-offset"]) if "upload-offset" in head else None for _, head, _ in _parts(_ANSWER, self.down)
        ]
        found = []
        for (begun, head, body), offset in zip_longest(_parts(_REQUEST, self.up), told):
            method, path = begun[1].decode(), begun[2].decode()
            if "/bundles/" in path:
                length = int(head.get("content-length", 0))
                found.append(Request(method, path, int(head.get("upload-offset", 0)), length, body, offset))
        return found

    def cut(self) -> None:
        """Break it as a line does that is gone: no goodbye."""
        for end in (self.near, self.far):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _parts(begin: re.Pattern[bytes], stream: bytes) -> Iterator[tuple[re.Match[bytes], dict[str, str], int]]:
    """Yield each message of a stream: how it begins, its headers, and how much of its body is there."""
    at = 0
    while match := begin.match(stream, at):
        head = dict(line.lower().split(": ", 1) for line in match[match.re.groups].decode().split("\r\n"))
        at = match.end() + int(head.get("content-length", 0))
        yield match, head, max(min(len(stream), at) - match.end(), 0)


@dataclass
class Line:
    """The line; what happens on it when so many bytes of bundles have gone up is a plan of (bytes, deed)."""

    target: tuple[str, int]
    per_s: float = BYTES_PER_S * SPEED
    plan: list[tuple[int, Callable[[Line], None]]] = field(default_factory=list)
    lost: Callable[[bytes], bool] = lambda _: False
    """Which answers never arrive: the line is cut instead."""

    talks: list[Talk] = field(default_factory=list)
    _silent_until: float = 0.0
    _up: int = 0
    _free_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def silence(self, seconds: float) -> None:
        """Nothing gets through, in neither direction."""
        self._silent_until = time.monotonic() + seconds / SPEED

    def cut(self) -> None:
        """Break what is open."""
        for talk in self.talks:
            talk.cut()

    def requests(self) -> list[Request]:
        """Everything that was asked about bundles, in its order."""
        return [each for talk in self.talks for each in talk.requests()]

    def uploaded(self) -> int:
        """Bytes of bundles that got through, also what was sent twice."""
        return sum(each.body for each in self.requests())

    def join(self, near: socket.socket) -> None:
        """Carry one connection."""
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            talk = Talk(near, socket.create_connection(self.target, 5))
            talk.far.settimeout(None)
        except OSError:
            near.close()
            return
        self.talks.append(talk)
        for deed in (self._carry_up, self._carry_down):
            threading.Thread(target=deed, args=(talk,), daemon=True).start()

    def _carry_up(self, talk: Talk) -> None:
        with suppress(OSError):
            while piece := talk.near.recv(_PIECE):
                self._wait("up", len(piece))
                talk.far.sendall(piece)
                talk.up += piece
                self._up += len(piece)
                while self.plan and self._up >= self.plan[0][0]:
                    self.plan.pop(0)[1](self)
            # Who hung up is still heard to the end: a modem sends what lies in it.
            talk.far.shutdown(socket.SHUT_WR)

    def _carry_down(self, talk: Talk) -> None:
        with suppress(OSError):
            while piece := talk.far.recv(1 << 16):
                if self.lost(piece):
                    talk.cut()
                    return
                self._wait("down", len(piece))
                talk.near.sendall(piece)
                talk.down += piece
        talk.cut()

    def _wait(self, way: str, many: int) -> None:
        """Wait until so many bytes have room on the line: a bucket for each direction."""
        with self._lock:
            begin = max(time.monotonic(), self._free_at.get(way, 0.0))
            self._free_at[way] = begin + many / self.per_s
        while (left := max(begin, self._silent_until) - time.monotonic()) > 0:
            time.sleep(left)


@contextmanager
def accepting(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Give every connection to `serve`; yield `host:port`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    connection = server.accept()[0]
                    connection.settimeout(None)
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@contextmanager
def before(url: str, line: Callable[[tuple[str, int]], Line] = Line) -> Iterator[tuple[str, Line]]:
    """Put a line before a hub; yield its address and the line."""
    parts = urlsplit(url)
    made = line((parts.hostname or "", parts.port or 0))
    with accepting(made.join) as address:
        try:
            yield f"{parts.scheme}://{address}", made
        finally:
            made.cut()


@dataclass
class Proxy:
    """A proxy that opens tunnels (CONNECT) to names it knows, if it is shown what it wants."""

    known: dict[str, tuple[str, int]]
    wants: str = ""
    """What `Proxy-Authorization` must say."""

    refuses: int = 0
    """A status it answers to everybody."""

    asked: list[str] = field(default_factory=list)

    def serve(self, near: socket.socket) -> None:
        """Answer one CONNECT and carry what follows."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := near.recv(4096)):
                return
            head += more
        method, name, *_ = head.decode().split()
        self.asked.append(f"{method} {name}")
        shown = re.search(r"proxy-authorization: (.*)\r\n", head.decode(), re.IGNORECASE)
        status = self.refuses or (407 if self.wants and (shown is None or shown[1] != self.wants) else 200)
        if status == 200 and name not in self.known:
            status = 502
        near.sendall(f"HTTP/1.1 {status} So\r\n\r\n".encode())
        if status != 200:
            near.close()
            return
        Line(self.known[name], per_s=1e9).join(near)


@contextmanager
def proxied(proxy: Proxy) -> Iterator[str]:
    """Open a proxy; yield its address."""
    with accepting(proxy.serve) as address:
        yield f"http://{address}"
