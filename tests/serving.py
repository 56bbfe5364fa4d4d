"""A real HTTP server on 127.0.0.1 that breaks, lies and stalls the way servers and school lines do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is served, how the next requests are answered, and what was asked."""

    files: dict[str, bytes]
    tag: str = '"one"'
    script: list[Callable[[Handler], None]] = field(default_factory=list)
    """One answer a request, in order; after the last every answer is honest."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, Range and If-Range of every request."""

    served_bytes: int = 0
    url: str = ""

    def ranges(self) -> list[str]:
        """Return the ranges asked for, in order; "" for a whole file."""
        return [asked[1] for asked in self.asked]


class Handler(BaseHTTPRequestHandler):
    """Answers by the script of its site."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        """Note what was asked and answer as the script says."""
        site = self.site
        site.asked.append((self.path, self.headers.get("Range", ""), self.headers.get("If-Range", "")))
        answer = site.script.pop(0) if site.script else honest
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def content(self) -> bytes:
        """The whole file that was asked for."""
        return self.site.files[self.path]

    @property
    def start(self) -> int:
        """The first byte asked for, when the condition of the request holds."""
        asked, tag = self.headers.get("Range", ""), self.headers.get("If-Range", "")
        return int(asked[6:-1]) if asked and tag in ("", self.site.tag) else 0

    def head(self, status: int, **headers: str | int | None) -> None:
        """Send the status and headers; a header that is None is left out."""
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, content: bytes) -> None:
        """Send bytes and count them."""
        self.wfile.write(content)
        self.site.served_bytes += len(content)

    def hang_up(self) -> None:
        """Close the connection without another word."""
        self.wfile.flush()
        self.close_connection = True


def honest(h: Handler) -> None:
    """Answer as a good server does."""
    if h.path not in h.site.files:
        h.head(404, Content_Length=0)
        return
    _head(h, h.start)
    h.body(h.content[h.start :])


def _head(h: Handler, start: int) -> None:
    total = len(h.content)
    if start >= total:
        h.head(416, Content_Range=f"bytes */{total}", Content_Length=0)
    elif start:
        where = f"bytes {start}-{total - 1}/{total}"
        h.head(206, Content_Range=where, Content_Length=total - start, ETag=h.site.tag)
    else:
        h.head(200, Content_Length=total, ETag=h.site.tag)


def cut(count: int) -> Callable[[Handler], None]:
    """Promise everything and hang up after `count` bytes."""

    def answer(h: Handler) -> None:
        _head(h, h.start)
        h.body(h.content[h.start : h.start + count])
        h.hang_up()

    return answer


def drop(h: Handler) -> None:
    """Hang up without an answer."""
    h.hang_up()


def ignoring_range(count: int | None = None) -> Callable[[Handler], None]:
    """Send the whole file from its first byte, whatever was asked; hang up after `count` bytes."""

    def answer(h: Handler) -> None:
        h.head(200, Content_Length=len(h.content), ETag=h.site.tag)
        h.body(h.content[:count])
        if count is not None:
            h.hang_up()

    return answer


def with_length(length: int | None, count: int | None = None) -> Callable[[Handler], None]:
    """Say that the file has `length` bytes, or nothing about it, and send `count` of them."""

    def answer(h: Handler) -> None:
        h.head(200, Content_Length=length, Connection="close")
        h.body(h.content[:count])
        h.hang_up()

    return answer


def instead(content: bytes) -> Callable[[Handler], None]:
    """Send other bytes, honestly labelled."""

    def answer(h: Handler) -> None:
        h.head(200, Content_Length=len(content))
        h.body(content)

    return answer


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    """Answer with a status alone."""

    def answer(h: Handler) -> None:
        h.head(code, Content_Length=0, **headers)

    return answer


def stalling(count: int, seconds: float) -> Callable[[Handler], None]:
    """Send `count` bytes, then nothing for a while."""

    def answer(h: Handler) -> None:
        _head(h, h.start)
        h.body(h.content[h.start : h.start + count])
        h.wfile.flush()
        time.sleep(seconds)
        h.hang_up()

    return answer


def slow(block: int, seconds: float) -> Callable[[Handler], None]:
    """Send everything, a block at a time."""

    def answer(h: Handler) -> None:
        _head(h, h.start)
        for place in range(h.start, len(h.content), block):
            h.body(h.content[place : place + block])
            time.sleep(seconds)

    return answer


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Site]:
    """Serve `files` by their paths until the end of the block."""
    site = Site(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
