"""The courier's listening sockets: few connections, small requests, deadlines that no trickle of bytes extends.

One server for each address; all of them share one desk.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from threading import Lock, Thread
from typing import Any

from edge.sync.lan.desk import Answer, Asked, Desk

MOST_CONNECTIONS = 64
MOST_HEAD = 8 << 10
HEAD_S = 15.0
"""From the end of one answer to the end of the next request's headers."""

BODY_S = 60.0
POLL_S = 0.25


class _Metered(BufferedIOBase):
    """Reads a connection, and no more of it than was allowed."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw, self.left = raw, 0

    def readline(self, size: int | None = -1) -> bytes:
        """Read a line; raise TimeoutError, which ends the connection, when it is too much."""
        line: bytes = self._raw.readline(self.left + 1)
        self.left -= len(line)
        if self.left < 0:
            raise TimeoutError("head too large")
        return line

    def read(self, size: int | None = -1) -> bytes:
        """Read so many bytes, fewer at the end."""
        content: bytes = self._raw.read(size)
        return content

    def close(self) -> None:
        """Close what is read from."""
        self._raw.close()
        super().close()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    error_message_format = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    """An answer leaves in one piece."""

    server: Listener

    def setup(self) -> None:
        super().setup()
        self.rfile = self.metered = _Metered(self.rfile)

    def handle_one_request(self) -> None:
        self.metered.left = MOST_HEAD
        self.server.allow(self.connection, HEAD_S)
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def serve(self) -> None:
        """Read the request whole, have it answered, send the answer."""
        get = self.headers.get
        authorization, length = get("Authorization", ""), get("Content-Length", "0")
        most = self.server.desk.most_bytes(self.command, self.path, authorization)
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 12):
            self._send(Answer(411), close=True)
            return
        if int(length) > most:
            self._send(Answer(413), close=True)
            return
        self.server.allow(self.connection, BODY_S)
        body = self.metered.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        offset, total = get("Upload-Offset", ""), get("Upload-Length", "")
        self._send(self.server.desk.answer(Asked(self.command, self.path, authorization, offset, total, body)))

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        if answer.offset is not None:
            self.send_header("Upload-Offset", str(answer.offset))
        if answer.mac:
            self.send_header("Amauta-Answer", answer.mac)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Say no more about this laptop than what everybody knows who finds it."""
        return "Amauta"

    def log_message(self, *_: object) -> None:
        """Say nothing: who talked to whom is written down nowhere."""


for _method in ("GET", "HEAD", "PATCH", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.serve)


class Listener(ThreadingHTTPServer):
    """Listens on one address until it is closed."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[Any, ...], desk: Desk, tick: Callable[[], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.desk, self._tick, self._lock = desk, tick, Lock()
        self._deadlines: dict[socket.socket, float] = {}
        super().__init__(address, _Handler)
        self._thread = Thread(target=self.serve_forever, args=(POLL_S,), daemon=True, name="courier")
        self._thread.start()

    def server_bind(self) -> None:
        """Take the address; asking for its name would wait for a DNS that is not there."""
        self.allow_reuse_address = False
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def allow(self, connection: socket.socket, seconds: float) -> None:
        """Give a connection so much time from now on, whatever it sends."""
        with self._lock:
            if connection in self._deadlines:
                self._deadlines[connection] = time.monotonic() + seconds

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Take a connection while there are not too many."""
        with self._lock:
            if len(self._deadlines) >= MOST_CONNECTIONS:
                return False
            self._deadlines[request] = time.monotonic() + HEAD_S
            return True

    def service_actions(self) -> None:
        """End connections whose time is over; codes and sessions grow old too."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, until in self._deadlines.items() if until < now]
        for connection in late:
            _shut(connection)
        self._tick()

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ended."""
        with self._lock:
            self._deadlines.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nobody's mistake."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            left = list(self._deadlines)
        for connection in left:
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
