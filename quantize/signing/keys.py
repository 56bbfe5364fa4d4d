"""One signing key: its public half as a file to pass around, its private half in a file that only a passphrase opens.

The file names what sealed it (scrypt, ChaCha20-Poly1305), and is bound to its public half, name and role: none
of them can be exchanged unnoticed. Passphrases come as arguments; asking for them belongs to `verbs`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.files import write_atomic
from edge.release.anchor import NAME_FIELD
from quantize.recipe import RecipeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import CryptoSigner, SSlibKey

ROLES = ("root", "targets", "snapshot", "timestamp")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
PUBLIC, PRIVATE = ".pub", ".key"
FORMAT = "amauta-key-1"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 16, 8, 1
"""64 MB and a quarter of a second for each guess."""

LEAST_PASSPHRASE = 12
MOST_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What everybody may know of a key."""

    name: str
    role: str
    """What it may sign."""

    keyid: str
    public: str
    """32 bytes in hexadecimal."""

    def for_root(self) -> SSlibKey:
        """Return it the way a root lists it."""
        from securesystemslib.signer import SSlibKey

        return SSlibKey(self.keyid, "ed25519", "ed25519", {"public": self.public}, {NAME_FIELD: self.name})


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key on a disk, still closed."""

    path: Path
    public: PublicKey
    sealed: dict[str, Any]

    def open(self, passphrase: str) -> CryptoSigner:
        """Return what can sign; raise RecipeError when the passphrase is wrong or the file was changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
        from securesystemslib.signer import CryptoSigner

        try:
            salt, nonce, secret = (bytes.fromhex(self.sealed[name]) for name in ("salt", "nonce", "secret"))
            key = ChaCha20Poly1305(_stretched(passphrase, salt))
            seed = key.decrypt(nonce, secret, _bound(self.public))
        except (InvalidTag, ValueError, TypeError) as error:
            raise RecipeError("key-passphrase", path=self.path) from error
        return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed), self.public.for_root())


def new_key(role: str, name: str, folder: Path, passphrase: str) -> PublicKey:
    """Make a key and write both its files; raise RecipeError when there is one of that name, or the passphrase is weak."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not NAME.fullmatch(name):
        raise RecipeError("key-name", name=name[:40])
    if len(passphrase) < LEAST_PASSPHRASE:
        raise RecipeError("key-weak", least=LEAST_PASSPHRASE)
    private, public = folder / f"{name}{PRIVATE}", folder / f"{name}{PUBLIC}"
    if private.exists() or public.exists():
        raise RecipeError("key-exists", path=private)
    made = Ed25519PrivateKey.generate()
    key = _public(name, role, made)
    try:
        # Readable by its owner alone: write_atomic makes such files.
        write_atomic(private, _lines(_facts(key) | _sealed(made.private_bytes_raw(), key, passphrase)))
        write_atomic(public, _lines(_facts(key)))
        public.chmod(0o644)
    except OSError as error:
        raise RecipeError("sign-disk", path=folder, reason=error.strerror or str(error)) from error
    return key


def load_public(path: Path, role: str) -> PublicKey:
    """Read a public key; raise RecipeError when it is none, or one for another role."""
    found = _read(path)
    key = _key_of(found, path)
    if key.role != role:
        raise RecipeError("key-role", path=path, role=key.role, wanted=role)
    return key


def load_private(path: Path) -> KeyFile:
    """Read a closed private key; raise RecipeError when it is none."""
    found = _read(path)
    if any(not isinstance(found.get(name), str) for name in ("salt", "nonce", "secret")):
        raise RecipeError("key-broken", path=path)
    return KeyFile(path, _key_of(found, path), found)


def keys_in(places: Iterable[Path]) -> list[KeyFile]:
    """Return the private keys in folders, or named one by one."""
    files: list[Path] = []
    for place in places:
        files += sorted(place.glob(f"*{PRIVATE}")) if place.is_dir() else [place]
    return [load_private(path) for path in files]


def _public(name: str, role: str, made: Ed25519PrivateKey) -> PublicKey:
    from securesystemslib.signer import SSlibKey

    found = SSlibKey.from_crypto(made.public_key())
    return PublicKey(name, role, found.keyid, found.keyval["public"])


def _facts(key: PublicKey) -> dict[str, str]:
    return {"format": FORMAT, "name": key.name, "role": key.role, "keyid": key.keyid, "public": key.public}


def _sealed(seed: bytes, key: PublicKey, passphrase: str) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = os.urandom(16), os.urandom(12)
    secret = ChaCha20Poly1305(_stretched(passphrase, salt)).encrypt(nonce, seed, _bound(key))
    return {"salt": salt.hex(), "nonce": nonce.hex(), "secret": secret.hex()}


def _stretched(passphrase: str, salt: bytes) -> bytes:
    most = 2 * 128 * SCRYPT_N * SCRYPT_R
    given = passphrase.encode()
    return hashlib.scrypt(given, salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=most, dklen=32)


def _bound(key: PublicKey) -> bytes:
    return _lines(_facts(key))


def _lines(facts: dict[str, str]) -> bytes:
    return (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode()


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RecipeError("key-broken", path=path)
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise RecipeError("key-unreadable", path=path, reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise RecipeError("key-broken", path=path) from error
    if not isinstance(found, dict):
        raise RecipeError("key-broken", path=path)
    return found


def _key_of(found: dict[str, Any], path: Path) -> PublicKey:
    """Return the key a file describes; its id must be the one its bytes give."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    try:
        key = PublicKey(*(str(found[name]) for name in ("name", "role", "keyid", "public")))
        made = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public)))
    except (KeyError, ValueError) as error:
        raise RecipeError("key-broken", path=path) from error
    if (
        found.get("format") != FORMAT
        or made.keyid != key.keyid
        or key.role not in ROLES
        or not NAME.fullmatch(key.name)
    ):
        raise RecipeError("key-broken", path=path)
    return key
