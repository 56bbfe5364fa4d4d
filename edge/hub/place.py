"""Where a hub lives: a folder with its keys and its database.

`keys.json` (readable by its owner only) holds who it is; `age.txt` beside it is the same reading key as the
standard `age` tool takes it. `hub.json` is written last: a folder without it is no hub yet.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edge.files import write_atomic
from edge.hub.errors import HubError
from edge.identity import device_id
from edge.sync.enrolment import NAME_CHARACTERS, Enrolment

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

RECEIPT, KEYS, AGE, DATABASE, ADDRESS = "hub.json", "keys.json", "age.txt", "hub.db", "database.txt"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One hub. Two laptops of one district may be twins: the same keys, each its own database."""

    folder: Path
    name: str
    id: str
    age: str = field(repr=False)
    recipient: str
    private: bytes = field(repr=False)
    master: bytes = field(repr=False)
    """Schools' secrets and the names of acknowledgement files come from it."""

    address: str = field(default="", repr=False)
    """Of PostgreSQL, with its password; nothing where everything is kept in `database`."""

    @property
    def database(self) -> Path:
        """Where everything received is kept, if not in PostgreSQL."""
        return self.folder / DATABASE

    def key(self) -> Ed25519PrivateKey:
        """Return the key that acknowledges."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private)

    def enrolment(self, school: str, token: bytes) -> Enrolment:
        """Return what the devices of a school need."""
        secret = hmac.digest(self.master, b"school\0" + school.encode(), hashlib.sha256)
        public = self.key().public_key().public_bytes_raw()
        return Enrolment(self.id, self.recipient, public, school, token, secret, name=self.name)

    def ack_name(self, device: str) -> str:
        """Return the name of a device's acknowledgement on a stick: always the same, and it tells nothing."""
        return hmac.digest(self.master, b"ack\0" + device.encode(), hashlib.sha256).hex()[:16]


def create(folder: Path, name: str, twin: Place | None = None, address: str = "") -> Place:
    """Make a hub in a folder that holds none, new or with the keys of its twin; `address` is of PostgreSQL."""
    import pyrage
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if (folder / RECEIPT).exists():
        raise HubError("hub-there", path=folder)
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:NAME_CHARACTERS]
    if twin is not None:
        facts = {"age": twin.age, "private": twin.private.hex(), "master": twin.master.hex()}
    else:
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        age = str(pyrage.x25519.Identity.generate())
        facts = {"age": age, "private": private.hex(), "master": os.urandom(32).hex()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A power cut before the receipt: the next try makes other keys, and nobody has seen these.
        write_atomic(folder / KEYS, json.dumps({"format": FORMAT, **facts}, indent=1).encode())
        write_atomic(folder / AGE, f"{facts['age']}\n".encode())
        (folder / ADDRESS).unlink(missing_ok=True)
        if address:
            write_atomic(folder / ADDRESS, f"{address}\n".encode())
        for secret in (KEYS, AGE, *([ADDRESS] if address else [])):
            (folder / secret).chmod(0o600)
        write_atomic(folder / RECEIPT, json.dumps({"format": FORMAT, "name": name}, ensure_ascii=False).encode())
    except OSError as error:
        raise HubError("hub-disk", path=folder, reason=error.strerror or str(error)) from error
    return load(folder)


def load(folder: Path) -> Place:
    """Return the hub in a folder; raise HubError when there is none or its keys are damaged."""
    import pyrage
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        receipt, keys = (json.loads((folder / name).read_bytes()) for name in (RECEIPT, KEYS))
        if receipt["format"] != FORMAT or keys["format"] != FORMAT:
            raise ValueError("format")
        private, master, age = bytes.fromhex(keys["private"]), bytes.fromhex(keys["master"]), str(keys["age"])
        public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        recipient = str(pyrage.x25519.Identity.from_str(age).to_public())
        address = (folder / ADDRESS).read_text(encoding="utf-8").strip() if (folder / ADDRESS).exists() else ""
        return Place(folder, str(receipt["name"]), device_id(public), age, recipient, private, master, address)
    except FileNotFoundError as error:
        raise HubError("hub-absent", path=folder) from error
    except OSError as error:
        raise HubError("hub-disk", path=folder, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError, pyrage.IdentityError) as error:
        raise HubError("hub-keys", path=folder, reason=str(error)[:60]) from error
