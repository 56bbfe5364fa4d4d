"""Read a root.json for people: who may sign, how many of them, until when, and a fingerprint to compare by phone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from edge.release.sources import TrustError

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O, U: they are misread and misheard."""

GROUPS, GROUP_SIGNS = 5, 4
NAME_FIELD = "x-amauta-name"
"""What a key is called, inside the root that lists it."""


@dataclass(frozen=True, slots=True)
class Role:
    """Who may sign one kind of metadata."""

    name: str
    threshold: int
    keys: tuple[str, ...]
    """The names of the keys, or the beginning of their ids."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a root says."""

    fingerprint: str
    version: int
    expires: date
    roles: tuple[Role, ...]


def read_anchor(content: bytes) -> Anchor:
    """Read a root that is signed by its own keys; raise TrustError when it is none."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Root

    try:
        found = Metadata[Root].from_bytes(content)
        if found.signed.type != Root.type:
            raise TrustError("trust-root")
        found.signed.verify_delegate(Root.type, found.signed_bytes, found.signatures)
    except (RepositoryError, ValueError) as error:
        raise TrustError("trust-root") from error
    root = found.signed
    roles = tuple(
        Role(
            name,
            role.threshold,
            tuple(str(root.keys[k].unrecognized_fields.get(NAME_FIELD, k[:8])) for k in role.keyids),
        )
        for name, role in root.roles.items()
    )
    return Anchor(fingerprint(found.signed_bytes), root.version, root.expires.date(), roles)


def fingerprint(signed: bytes) -> str:
    """Return a hundred bits of the hash of what was signed, in groups that can be dictated."""
    number = int.from_bytes(hashlib.sha256(signed).digest()) >> (256 - 5 * GROUPS * GROUP_SIGNS)
    text = "".join(SIGNS[number >> 5 * place & 31] for place in reversed(range(GROUPS * GROUP_SIGNS)))
    return "-".join(text[at : at + GROUP_SIGNS] for at in range(0, len(text), GROUP_SIGNS))


def same_fingerprint(one: str, other: str) -> bool:
    """Tell whether two fingerprints are equal the way people write them."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    kept = "".join(sign for sign in text.upper() if sign.isalnum())
    return kept.translate(str.maketrans("ILO", "110"))
