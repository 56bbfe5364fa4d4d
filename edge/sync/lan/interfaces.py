"""The addresses of this machine on a local network: private ones, never the internet's, never the machine's own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from edge.sync.errors import SyncError


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one network card."""

    host: str
    scope: int = 0
    """The number of the card, for the IPv6 addresses that mean nothing without it."""

    @property
    def typable(self) -> bool:
        """Whether a person could type it on another machine."""
        return not self.scope

    @property
    def named(self) -> str:
        """Return it as one text, with the card it needs."""
        return f"{self.host}%{self.scope}" if self.scope else self.host

    def bound(self, port: int) -> tuple[Any, ...]:
        """Return it as a socket takes it."""
        return (self.host, port, 0, self.scope) if ":" in self.host else (self.host, port)


def shown(host: str, port: int) -> str:
    """Return an address as a person types it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_of(text: str) -> Address:
    """Return an address that somebody typed; raise SyncError when it is none. No names: there may be no DNS."""
    host, _, scope = text.strip().removeprefix("[").removesuffix("]").partition("%")
    try:
        return Address(str(ipaddress.ip_address(host)), int(scope or 0))
    except ValueError as error:
        raise SyncError("near-address", address=ascii(text)[1:-1][:60]) from error


def lan_addresses() -> list[Address]:
    """Return where others on this network reach this machine; IPv4 first, for it is shorter to type."""
    import ifaddr

    found = set()
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            host, _, scope = each.ip if isinstance(each.ip, tuple) else (each.ip, 0, 0)
            address = ipaddress.ip_address(host.partition("%")[0])
            if address.is_private and not (address.is_loopback or address.is_unspecified):
                found.add(Address(str(address), scope if address.version == 6 and address.is_link_local else 0))
    return sorted(found, key=lambda each: (":" in each.host, each.scope, each.host))
