"""Open this laptop as a courier for a while: listen on the local network, announce it, let in who knows the code."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import SystemRandom
from typing import TYPE_CHECKING

from edge.learning.learner import ID_LETTERS
from edge.locks import take
from edge.sync.errors import SyncError
from edge.sync.lan.announce import announced
from edge.sync.lan.carrying import Load, load_of
from edge.sync.lan.courier import Courier, place_of
from edge.sync.lan.desk import Desk
from edge.sync.lan.events import Event
from edge.sync.lan.interfaces import Address, lan_addresses, shown
from edge.sync.lan.lobby import Lobby
from edge.sync.lan.server import Listener

if TYPE_CHECKING:
    from edge.settings import Settings

LABEL_LETTERS = 4
LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Receiving:
    """An open courier."""

    label: str
    """Random, also in the announcement: it tells two open laptops apart."""

    addresses: tuple[str, ...]
    """What may be typed on a device that does not find this laptop: HOST:PORT, the shortest first."""

    announced: bool
    """Whether devices may find it by themselves; many school networks do not let them."""

    _home: Path
    _lobby: Lobby
    _stack: ExitStack

    @property
    def code(self) -> str:
        """The six digits that count now; an event says when others do."""
        return self._lobby.code

    @property
    def locked(self) -> bool:
        """Whether too many wrong codes were tried; `new_code` or opening again lets devices in."""
        return self._lobby.locked

    def new_code(self) -> str:
        """Let other digits count from now on."""
        self._lobby.renew(time.monotonic())
        return self.code

    def load(self) -> Load:
        """Return what is carried now."""
        return load_of(self._home) or Load(0, 0, 0, 0)

    def close(self) -> None:
        """Stop listening; what is here for good stays, what was half received goes on next time."""
        self._stack.close()


@contextmanager
def open_receiving(
    settings: Settings,
    on_event: Callable[[Event], None],
    *,
    addresses: Sequence[Address] | None = None,
    announce: bool = True,
) -> Iterator[Receiving]:
    """Open the courier of this laptop until the end of the block or `close`.

    `on_event` is called from other threads. Raises SyncError when there is no local network, when it is open already,
    or when the disk does not let us.
    """
    home = settings.home
    hosts = list(lan_addresses() if addresses is None else addresses)
    if not hosts:
        raise SyncError("near-no-network")
    lobby = Lobby(time.monotonic(), on_event)
    label = "".join(SystemRandom().choice(ID_LETTERS) for _ in range(LABEL_LETTERS)).upper()
    with ExitStack() as stack:
        _hold(home, stack)
        courier = Courier(home)
        courier.clean()
        desk = Desk(home, courier, lobby, on_event, time.monotonic)
        listeners = _listening(hosts, desk, lambda: lobby.tick(time.monotonic()), stack)
        port = listeners[0][1].server_port
        here = [address for address, _ in listeners]
        heard = announce and stack.enter_context(announced(label, here, port))
        typable = tuple(shown(address.host, port) for address in here if address.typable)
        yield Receiving(label, typable, heard, home, lobby, stack)


def _hold(home: Path, stack: ExitStack) -> None:
    """Keep a second courier away from the same folder, before anything in it is read."""
    try:
        place_of(home).mkdir(parents=True, exist_ok=True)
        handle = os.open(place_of(home) / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SyncError("courier-trouble", path=place_of(home), reason=error.strerror or str(error)) from error
    stack.callback(os.close, handle)
    if not take(handle):
        raise SyncError("near-open-already")


def _listening(
    hosts: Sequence[Address], desk: Desk, tick: Callable[[], None], stack: ExitStack
) -> list[tuple[Address, Listener]]:
    """Listen on every address that lets us, all on the port that the first one got."""
    found: list[tuple[Address, Listener]] = []
    trouble: OSError | None = None
    for address in hosts:
        try:
            listener = Listener(address.bound(found[0][1].server_port if found else 0), desk, tick)
        except OSError as error:
            trouble = error
            continue
        stack.callback(listener.close)
        found.append((address, listener))
    if not found:
        raise SyncError("near-no-network") from trouble
    return found
