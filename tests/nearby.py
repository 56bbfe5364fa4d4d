"""A school on one network: a teacher's laptop that is open, devices that deliver to it, and enemies in between."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from badline import accepting
from edge.errors import EdgeError
from edge.settings import Settings
from edge.sync.lan.courier import Courier
from edge.sync.lan.desk import Asked, Desk
from edge.sync.lan.events import Event
from edge.sync.lan.exchange import Reply
from edge.sync.lan.interfaces import Address, lan_addresses
from edge.sync.lan.lobby import Lobby
from edge.sync.lan.near import Near
from edge.sync.lan.receiving import Receiving, open_receiving
from edge.sync.lan.sender import Sent, meet, send_near
from edge.sync.ledger import Ledger
from handing import Device

LOOP = Address("127.0.0.1")


@contextmanager
def opened(home: Path, events: list[Event] | None = None) -> Iterator[Receiving]:
    """A teacher's laptop, open on this machine alone and not announced."""
    told = events.append if events is not None else lambda _: None
    with open_receiving(Settings(home), told, addresses=[LOOP], announce=False) as receiving:
        yield receiving


def deliver(device: Device, to: Receiving, code: str | None = None, *, turns: bool = False) -> Sent:
    """Type the code on a device."""
    return send_near(Settings(device.home, share_turns=turns), code or to.code, to.addresses[0])


def key_of(deed: Callable[[], object]) -> str:
    """Return the key of the error that something ends in; every such error has a sentence and a hint."""
    with pytest.raises(EdgeError) as raised:
        deed()
    assert len(raised.value.say("es").splitlines()) == 2
    return raised.value.key


class Room:
    """A courier without a network between it and the device: the same desk, lobby and disk."""

    def __init__(self, home: Path) -> None:
        self.home, self.events, self.now = home, list[Event](), 0.0
        self.courier = Courier(home)
        self.lobby = Lobby(0.0, self.events.append)
        self.desk = Desk(home, self.courier, self.lobby, self.events.append, lambda: self.now)

    def near(self, code: str = "") -> Near:
        near = Near((), 0, lambda: False)
        near._connection = self  # type: ignore[assignment]
        near.pair(code or self.lobby.code)
        return near

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes, most: int) -> Reply:
        """Answer as the server does."""
        facts = [headers.get(name, "") for name in ("Authorization", "Upload-Offset", "Upload-Length")]
        answer = self.desk.answer(Asked(method, path, *facts, body))
        given = {"amauta-answer": answer.mac}
        given |= {} if answer.offset is None else {"upload-offset": str(answer.offset)}
        return Reply(answer.status, given, b"" if method == "HEAD" else answer.body)

    def close(self) -> None:
        """There is nothing to hang up."""

    def meet(self, device: Device) -> Sent:
        with Ledger(device.path) as ledger, self.near() as near:
            return meet(near, Settings(device.home), ledger, device.papers(ledger))


@contextmanager
def answering(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server that answers as it likes; return its address."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(1 << 16):
                answer(connection, request)

    with accepting(serve) as address:
        yield address


@contextmanager
def between(target: str, changed: Callable[[bytes], bytes], back: Callable[[bytes], bytes]) -> Iterator[str]:
    """Somebody in the middle who passes every message on, changed or not."""
    host, _, port = target.rpartition(":")
    lines: dict[socket.socket, socket.socket] = {}

    def pass_on(connection: socket.socket, request: bytes) -> None:
        if connection not in lines:
            lines[connection] = socket.create_connection((host, int(port)), 2)
        lines[connection].sendall(changed(request))
        connection.sendall(back(lines[connection].recv(1 << 16)))

    with answering(pass_on) as address:
        yield address
    for line in lines.values():
        line.close()


def multicast_works() -> bool:
    """Tell whether this machine hears its own multicast on its network; asked without anything of ours."""
    hosts = [address.host for address in lan_addresses() if ":" not in address.host]
    if not hosts:
        return False
    group = socket.inet_aton("239.255.83.21")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.bind(("", 0))
            one.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", group, socket.inet_aton(hosts[0]))
            )
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(hosts[0]))
            one.settimeout(1)
            one.sendto(b"?", (socket.inet_ntoa(group), one.getsockname()[1]))
            return one.recv(8) == b"?"
        except OSError:
            return False
