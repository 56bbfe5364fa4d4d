"""What a hub answers: which bundles it has for good, by the SHA-256 of their bodies.

Pure. An acknowledgement names contents, not numbers: a device whose identity was copied never takes the
other one's for its own. It only ever adds, so an old or repeated one does no harm.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.sync.enrolment import DEVICE_NAME, Enrolment
from edge.sync.errors import RefusedError
from edge.sync.seal import ACK, seal, unseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MOST_DIGESTS = 512
"""The newest; what is older was acknowledged before, or travels again."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Ack:
    """Of one hub to one device."""

    hub: str
    device: str
    digests: tuple[str, ...]
    cloned: bool
    """Another device uses the same identity."""


def write(ack: Ack, key: Ed25519PrivateKey, recipient: str) -> bytes:
    """Return `ack` signed by the hub, readable by the device alone."""
    facts = {"hub": ack.hub, "device": ack.device, "digests": ack.digests, "cloned": ack.cloned}
    return seal(ACK, json.dumps(facts, sort_keys=True).encode(), key, recipient)


def read(sealed: bytes, identity: str, enrolment: Enrolment) -> Ack:
    """Return an acknowledgement of the hub this device is enrolled at; raise RefusedError for anything else."""
    opened = unseal(ACK, sealed, identity)
    if opened.public != enrolment.key:
        raise RefusedError("ack-other-hub", hub=enrolment.hub)
    try:
        found = json.loads(opened.body)
        ack = Ack(found["hub"], found["device"], tuple(found["digests"]), found["cloned"])
        if len(found) != 4 or ack.hub != enrolment.hub or not DEVICE_NAME.fullmatch(ack.device):
            raise ValueError("names")
        if type(ack.cloned) is not bool or not all(_DIGEST.fullmatch(digest) for digest in ack.digests):
            raise ValueError("digests")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError("ack-broken", reason=str(error)[:80]) from error
    return ack
