"""Seal bytes so that only the holder of a key reads them, and notice when they were moved.

Pure but for randomness. ChaCha20-Poly1305, fast on processors without AES; scrypt makes each guess of a passphrase
cost memory and time. Nothing here is written to a disk.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from edge.records.errors import RecordsError

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
RECOVERY_BYTES = 20
"""160 bits, 32 letters: nobody guesses them."""

PAD_BYTES = 256
"""Sealed texts have a length that is a multiple of this, so that a length tells little."""

COST = 16
"""The logarithm of scrypt's cost: 64 MiB for each guess."""

COSTS = range(10, 21)
SHORTEST_PASSPHRASE = 12


@dataclass(frozen=True, slots=True)
class Wrap:
    """The data key, sealed with what a person knows."""

    kind: str
    """`passphrase` or `recovery`."""

    cost: int
    salt: bytes
    sealed: bytes


def new_key() -> bytes:
    """Return a random key."""
    return secrets.token_bytes(KEY_BYTES)


def derived(key: bytes, use: str) -> bytes:
    """Return the key for one use, so that no key serves two."""
    return hmac.new(key, use.encode(), hashlib.sha256).digest()


def seal(key: bytes, content: bytes, position: bytes) -> bytes:
    """Seal `content` for one position: opened at any other, it is refused."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    padded = content + b"\x80"
    padded += bytes(-len(padded) % PAD_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, padded, position)


def unseal(key: bytes, sealed: bytes, position: bytes) -> bytes | None:
    """Return what was sealed, or None: another key, another position, or changed bytes."""
    try:
        padded = ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], position)
    except (InvalidTag, ValueError):
        return None
    return padded.rstrip(b"\x00")[:-1]


def wrap(key: bytes, kind: str, secret: str, device: str, cost: int = COST) -> Wrap:
    """Seal the data key with a passphrase or a recovery key."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Wrap(kind, cost, salt, seal(_stretched(secret, salt, cost), key, _wrapped_at(kind, device, cost)))


def unwrap(found: Wrap, secret: str, device: str) -> bytes | None:
    """Return the data key, or None where the secret is not the right one."""
    if found.cost not in COSTS:
        return None
    return unseal(_stretched(secret, found.salt, found.cost), found.sealed, _wrapped_at(found.kind, device, found.cost))


def clean_passphrase(given: str) -> str:
    """Return a passphrase as it is used, whatever keyboard typed it; refuse one that is soon guessed."""
    passphrase = same_letters(given)
    if len(passphrase) < SHORTEST_PASSPHRASE or len(set(passphrase)) < SHORTEST_PASSPHRASE // 2:
        raise RecordsError("passphrase-short", least=SHORTEST_PASSPHRASE)
    return passphrase


def same_letters(given: str) -> str:
    """Return one spelling of what may be typed in several ways: accents, wide letters, spaces around."""
    return unicodedata.normalize("NFKC", given).strip()


def new_recovery() -> str:
    """Return a recovery key as it is printed: eight groups of four letters and digits."""
    letters = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def read_recovery(given: str) -> str:
    """Return a recovery key as it was printed, however it was typed; refuse what cannot be one."""
    letters = "".join(given.upper().translate(str.maketrans("018", "OIB")).replace("-", " ").split())
    try:
        if len(base64.b32decode(letters)) != RECOVERY_BYTES:
            raise RecordsError("recovery-form")
    except (binascii.Error, ValueError) as error:
        raise RecordsError("recovery-form") from error
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _stretched(secret: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=1 << cost, r=8, p=1).derive(secret.encode("utf-8", "replace"))


def _wrapped_at(kind: str, device: str, cost: int) -> bytes:
    return f"amauta records key|{kind}|{device}|{cost}".encode()
