"""What a device shows with each request: its key, the school's token, and a signature over what it asks.

Pure. There is no time in it, for devices have dead clock batteries, and no count: TLS keeps it from listeners, and
whoever repeats a request changes nothing, for every request may be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.sync.papers import Papers

SCHEME = "Amauta"
MARK = b"amauta-wire-1\n"

_HEADER = re.compile(r"Amauta ([0-9a-f]{64})\.((?:[0-9a-f]{32})?)\.([0-9a-f]{128})")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a device showed; whether it may come in, the hub must judge."""

    public: bytes
    token: bytes = field(repr=False)
    """Of its school; empty when it shows none."""


def signed(method: str, path: str, hub: str) -> bytes:
    """Return what is signed."""
    return MARK + "\n".join((method, path, hub)).encode()


def authorizer(papers: Papers) -> Callable[[str, str], str]:
    """Return what makes the header of each request (method, path) of this device to its hub."""
    key, enrolment, public = papers.identity.key(), papers.enrolment, papers.identity.public.hex()

    def authorize(method: str, path: str) -> str:
        return f"{SCHEME} {public}.{enrolment.token.hex()}.{key.sign(signed(method, path, enrolment.hub)).hex()}"

    return authorize


def shown_in(header: str, method: str, path: str, hub: str) -> Shown | None:
    """Return what a header shows if its signature is right for this request to this hub, else None."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if (found := _HEADER.fullmatch(header)) is None:
        return None
    public, token, signature = (bytes.fromhex(part) for part in found.groups())
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed(method, path, hub))
    except (InvalidSignature, ValueError):
        return None
    return Shown(public, token)
