"""Say on the local network that a courier is open: by mDNS, with a random name and nothing about anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edge.sync.lan.interfaces import Address

SERVICE = "_amauta-sync._tcp.local."
PREFIX = "amauta-"
VERSION = "1"


@contextmanager
def announced(label: str, addresses: Sequence[Address], port: int) -> Iterator[bool]:
    """Announce until the end of the block; False where the network or the system does not let us."""
    from zeroconf import Error, IPVersion, ServiceInfo, Zeroconf

    name = f"{PREFIX}{label.lower()}"
    info = ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        properties={"v": VERSION},
        server=f"{name}.local.",
        parsed_addresses=[address.host for address in addresses],
    )
    try:
        radio = Zeroconf([address.host for address in addresses], ip_version=IPVersion.All, use_asyncio=False)
    except (OSError, Error, RuntimeError):
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
