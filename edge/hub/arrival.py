"""A sealed file becomes a bundle whose writer is known for sure, or is refused.

Pure. What a file is, is seen in this order: size, decryption, signature, head, hub, earlier keys. Facts are
not read here: first the receiver judges whether this device may hand over at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.hub.place import Place
from edge.identity import device_id
from edge.sync.bundle import Head, decode_facts, decode_head, digest_of
from edge.sync.errors import RefusedError
from edge.sync.facts import Stream
from edge.sync.papers import LINK
from edge.sync.seal import BUNDLE, Opened, unseal


@dataclass(frozen=True, slots=True)
class Arrival:
    """A bundle whose signature is right; whether it may come in is not said."""

    shown: str
    """The name of its file, harmless to print."""

    public: bytes
    head: Head
    body: bytes
    device: str
    """Who signed."""

    ancestors: tuple[str, ...]
    """The devices this one was before."""

    digest: str

    def facts(self) -> tuple[Stream, ...]:
        """Return what it says, which takes as long as everything else together."""
        return decode_facts(self.body)


def arrival(place: Place, sealed: bytes, shown: str) -> Arrival:
    """Open a sealed file; raise RefusedError when anything about it is not right."""
    opened = unseal(BUNDLE, sealed, place.age)
    head = decode_head(opened.body)
    if head.hub != place.id:
        raise RefusedError("bundle-other-hub", hub=head.hub)
    ancestors = _ancestors(head, opened)
    return Arrival(shown, opened.public, head, opened.body, device_id(opened.public), ancestors, digest_of(opened.body))


def _ancestors(head: Head, opened: Opened) -> tuple[str, ...]:
    """Return the devices this one was before; each key must have signed the one after it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    keys = [*(link.key for link in head.links), opened.public]
    for link, after in zip(head.links, keys[1:], strict=True):
        try:
            Ed25519PublicKey.from_public_bytes(link.key).verify(link.proof, LINK + after)
        except (InvalidSignature, ValueError) as error:
            raise RefusedError("link-forged") from error
    return tuple(device_id(link.key) for link in head.links)
