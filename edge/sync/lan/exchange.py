"""One HTTP connection to a machine that may be an enemy: every answer is small, whole and in time, or it is none."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass, field

MOST_HEAD = 8 << 10
CONNECT_S = 4.0
ANSWER_S = 30.0
"""From the first byte of a request to the last of its answer."""

_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: .*)?")
_HEADER = re.compile(rb"([A-Za-z-]{1,40}): *([ -~]{0,400})")


class ExchangeError(OSError):
    """The other side said something that is no answer; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Connection:
    """Asks one thing after the other; raises OSError when the line breaks or the other side misbehaves."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._socket = socket.create_connection((host, port), CONNECT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._until = 0.0

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes, most: int) -> Reply:
        """Return the answer to one request; its body has at most so many bytes."""
        self._until = time.monotonic() + ANSWER_S
        own = {"Host": "courier", "Content-Length": str(len(body)), **headers}
        head = "".join(
            [f"{method} {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in own.items()), "\r\n"]
        )
        self._socket.settimeout(ANSWER_S)
        self._socket.sendall(head.encode("ascii") + body)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > MOST_HEAD:
                raise ExchangeError("head too large")
            received += self._receive(4096)
        status, found = _parsed(received[:end])
        length = 0 if method == "HEAD" or status == 204 else _length(found)
        if length > most:
            raise ExchangeError("answer too large")
        parts, left = [received[end + 4 :]], length - len(received) + end + 4
        while left > 0:
            parts.append(self._receive(min(left, 1 << 16)))
            left -= len(parts[-1])
        if left < 0:
            raise ExchangeError("more than one answer")
        return Reply(status, found, b"".join(parts))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _receive(self, most: int) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("answer too slow")
        self._socket.settimeout(left)
        content = self._socket.recv(most)
        if not content:
            raise ConnectionResetError("closed")
        return content


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    headers = [_HEADER.fullmatch(line) for line in lines]
    if not status or not all(headers):
        raise ExchangeError("no answer in HTTP")
    return int(status[1]), {each[1].decode().lower(): each[2].decode().strip() for each in headers if each}


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "")
    if "transfer-encoding" in headers or not re.fullmatch("[0-9]{1,9}", text):
        raise ExchangeError("answer without a length")
    return int(text)
