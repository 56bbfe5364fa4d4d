"""Say on the local network that a courier is open: by mDNS, with a random name and nothing about anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from edge.sync.lan.interfaces import Address

if TYPE_CHECKING:
    from zeroconf import Zeroconf

SERVICE = "_amauta-sync._tcp.local."
PREFIX = "amauta-"
VERSION = "1"


@contextmanager
def announced(label: str, addresses: Sequence[Address], port: int) -> Iterator[bool]:
    """Announce until the end of the block; False where the network or the system does not let us."""
    from zeroconf import Error, ServiceInfo

    name = f"{PREFIX}{label.lower()}"
    info = ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        properties={"v": VERSION},
        server=f"{name}.local.",
        parsed_addresses=[address.host for address in addresses],
    )
    radio = radio_on(addresses)
    if radio is None:
        yield False
        return
    try:
        try:
            # The name is random: nobody needs to be asked whether it is free.
            radio.register_service(info, cooperating_responders=True)
            heard = True
        except (OSError, Error):
            heard = False
        yield heard
    finally:
        radio.close()


def radio_on(addresses: Sequence[Address]) -> Zeroconf | None:
    """Return what speaks mDNS there, over IPv4 alone where one card has no other; None where nothing does."""
    from zeroconf import Error, IPVersion, Zeroconf

    hosts = [address.host for address in addresses]
    plain = [host for host in hosts if ":" not in host]
    for some, version in ((hosts, IPVersion.All), (plain, IPVersion.V4Only)):
        if some:
            with suppress(OSError, Error, RuntimeError):
                return Zeroconf(some, ip_version=version, use_asyncio=False)
    return None
