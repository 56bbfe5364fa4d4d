"""Find open couriers on the local network by mDNS; what answers may be anybody, until it proves to know the code."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

from edge.sync.lan.announce import PREFIX, SERVICE, radio_on
from edge.sync.lan.interfaces import Address, lan_addresses, shown

FIND_S = 6.0
SETTLE_S = 1.0
"""After the first one: others may be there too."""

MOST_FOUND = 16


@dataclass(frozen=True, slots=True)
class Found:
    """One courier that announces itself."""

    label: str
    """Also on its screen, so that two of them can be told apart."""

    hosts: tuple[str, ...]
    """Where it may be reached, IPv4 first; the number of the card after a % where it needs one."""

    port: int

    @property
    def address(self) -> str:
        """The first of them, as a person types it."""
        return shown(self.hosts[0], self.port)


class _Listener:
    """Notes the names that are announced."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.heard = Event()

    def add_service(self, _: Any, kind: str, name: str) -> None:
        if len(self.names) < MOST_FOUND:
            self.names.add(name)
            self.heard.set()

    def update_service(self, _: Any, kind: str, name: str) -> None:
        self.add_service(_, kind, name)

    def remove_service(self, _: Any, kind: str, name: str) -> None:
        self.names.discard(name)


def find(
    timeout_s: float = FIND_S,
    cancelled: Callable[[], bool] = lambda: False,
    addresses: list[Address] | None = None,
) -> list[Found]:
    """Return the couriers that are open on this network, by label; none where multicast does not get through."""
    from zeroconf import Error, ServiceBrowser

    radio = radio_on(lan_addresses() if addresses is None else addresses)
    if radio is None:
        return []
    listener = _Listener()
    found: list[Found] = []
    try:
        ServiceBrowser(radio, SERVICE, listener)  # type: ignore[arg-type]
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and not cancelled():
            if listener.heard.wait(0.2):
                until = min(until, time.monotonic() + SETTLE_S)
                listener.heard.clear()
        for name in sorted(listener.names):
            with suppress(OSError, Error):
                if each := _resolved(radio, name):
                    found.append(each)
    finally:
        radio.close()
    return found


def _resolved(radio: Any, name: str) -> Found | None:
    """Return where a name leads; None when it says nothing of use."""
    info = radio.get_service_info(SERVICE, name, timeout=2000)
    if info is None or not info.port:
        return None
    hosts = sorted(set(info.parsed_scoped_addresses()), key=lambda host: (":" in host, "%" in host, host))
    label = name.partition(".")[0].removeprefix(PREFIX).upper()
    shape = label.isascii() and label.isalnum() and len(label) <= 8
    return Found(label, tuple(hosts[:8]), info.port) if hosts and shape else None
