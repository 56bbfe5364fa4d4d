"""The packets that an app and its server exchange: a letter for the kind, four bytes for the length, the content.

What Textual's web driver speaks. D is what a terminal shows or what was typed, M is JSON about the app.
"""

from __future__ import annotations

import json
from asyncio import IncompleteReadError, StreamReader
from collections.abc import AsyncIterator
from typing import Literal

GREETING = b"__GANGLION__\n"
LARGEST = 4 << 20

Kind = Literal[b"D", b"M"]


def packet(kind: Kind, content: bytes) -> bytes:
    """Return one packet."""
    return kind + len(content).to_bytes(4, "big") + content


def about(**facts: str | int) -> bytes:
    """Return a packet that tells the app something."""
    return packet(b"M", json.dumps(facts).encode())


async def packets(reader: StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each packet until the app ends or writes what is none."""
    try:
        while (line := await reader.readline()) != GREETING:
            if not line:
                return
        while True:
            head = await reader.readexactly(5)
            size = int.from_bytes(head[1:], "big")
            if size > LARGEST:
                return
            yield head[:1], await reader.readexactly(size)
    except (IncompleteReadError, ConnectionError, ValueError):
        return
