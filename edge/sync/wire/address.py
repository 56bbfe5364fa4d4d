"""Where a hub is reached: `https://` and a name, and perhaps a path. Pure."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

from edge.sync.errors import SyncError

LONGEST = 200


def checked_url(url: str) -> str:
    """Return the address without its last slash; raise SyncError for one that is none or that others could read along."""
    shown = ascii(url)[1:-1][:80]
    plain = url.strip().rstrip("/")
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SyncError("wire-address", url=shown) from error
    odd = parts.username or parts.query or parts.fragment or not plain.isascii() or not plain.isprintable()
    if parts.scheme not in ("https", "http") or not host or odd or " " in plain or len(plain) > LONGEST:
        raise SyncError("wire-address", url=shown)
    if parts.scheme == "http" and not is_this_machine(host):
        raise SyncError("wire-open", url=shown)
    return plain


def is_this_machine(host: str) -> bool:
    """Tell whether an address is this machine's own, where nobody listens in between."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
