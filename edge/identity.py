"""Who this device is: an id and a signing key, made at its first start and never inside an image.

The id is made from the public key, so nobody can give a device another one's id. Both lie in
`identity.json` in Amauta's folder, readable by its owner only; only a device that was copied gets others (`renew_identity`).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.files import write_atomic
from edge.learning.learner import ID_LETTERS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "identity.json"
FORMAT = 1
KEY_BYTES = 32
_ID_CHARACTERS = 16


class IdentityError(EdgeError):
    """This device's identity cannot be read or made."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One device."""

    device: str
    public: bytes
    private: bytes = field(repr=False)

    def key(self) -> Ed25519PrivateKey:
        """Return the key that signs for this device."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private)


def device_id(public: bytes) -> str:
    """Return the id that belongs to a public key: 80 bits of its SHA-256, in letters for reading aloud."""
    number = int.from_bytes(hashlib.sha256(public).digest()[:10], "big")
    return "".join(ID_LETTERS[number >> 5 * place & 31] for place in reversed(range(_ID_CHARACTERS)))


def ensure_identity(home: Path) -> Identity:
    """Return this device's identity, making it at the first start; raise IdentityError when that cannot be."""
    path = home / NAME
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise IdentityError("identity-disk", path=path, reason=error.strerror or str(error)) from error
    return read_identity(path)


def read_identity(path: Path) -> Identity:
    """Read an identity; raise IdentityError when it is damaged: it must not be made anew silently."""
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError("format")
        private, public = bytes.fromhex(found["private"]), bytes.fromhex(found["public"])
        if len(private) != KEY_BYTES or public != _public(private) or found["device"] != device_id(public):
            raise ValueError("key")
    except OSError as error:
        raise IdentityError("identity-disk", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IdentityError("identity-broken", path=path, reason=str(error)[:60]) from error
    return Identity(found["device"], public, private)


def _make(path: Path) -> None:
    """Write a new identity; when another process was first, its identity stays."""
    content = _content(os.urandom(KEY_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}.")  # made readable by its owner only
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name_first(new, path)
    finally:
        new.unlink(missing_ok=True)


def renew_identity(home: Path, private: bytes) -> None:
    """Put another key in the place of this device's, because two devices had the same; raises OSError.

    Only `sync` does so: it has kept, signed by the old key, that this one comes after it.
    """
    write_atomic(home / NAME, _content(private))


def _content(private: bytes) -> bytes:
    public = _public(private)
    facts = {"format": FORMAT, "device": device_id(public), "public": public.hex(), "private": private.hex()}
    return json.dumps(facts, indent=1).encode()


def _name_first(new: Path, path: Path) -> None:
    try:
        path.hardlink_to(new)
    except FileExistsError:
        return
    except OSError:
        # FAT knows no links; nobody else is expected on a stick at its first start.
        if not path.exists():
            new.replace(path)


def _public(private: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
