"""Sign bytes and encrypt them so that only the receiver learns who wrote what, and how much.

Pure. Inside the age envelope lies: a mark with the format (16 bytes), the writer's Ed25519 public key (32),
its signature over mark and body (64), the length of the body (8), the body, zeros up to a size class. Whole
plaintext in memory first (age gives out what it has decrypted before it notices tampering), then the
signature, and only then may anyone parse the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.sync.errors import RefusedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BUNDLE = b"amauta-bundle-1\n"
ACK = b"amauta-ack-0001\n"
"""A mark is 16 bytes; another format gets another mark, and is refused here."""

SMALL_CLASSES = tuple(1 << bits for bits in (12, 14, 16, 18, 20))
LARGE_CLASS = 1 << 20
LARGEST_SEALED = 64 << 20
"""What is larger is refused before it is read: it would not fit in the memory of an old laptop."""

_AGE_MARK = b"age-encryption.org/"
_HEAD = 16 + 32 + 64 + 8


@dataclass(frozen=True, slots=True)
class Opened:
    """A body whose signature is right; whose key that is, the caller must judge."""

    public: bytes
    body: bytes


def seal(mark: bytes, body: bytes, key: Ed25519PrivateKey, recipient: str) -> bytes:
    """Return `body` signed by `key` and readable by the owner of `recipient` alone."""
    import pyrage

    public = key.public_key().public_bytes_raw()
    signature = key.sign(mark + body)
    plain = b"".join((mark, public, signature, len(body).to_bytes(8, "big"), body))
    sealed: bytes = pyrage.encrypt(plain + bytes(size_class(len(plain)) - len(plain)), [recipient_of(recipient)])
    return sealed


def unseal(mark: bytes, sealed: bytes, identity: str) -> Opened:
    """Return what was sealed for `identity`; raise RefusedError when anything about it is not right."""
    import pyrage
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(sealed) > LARGEST_SEALED:
        raise RefusedError("sealed-large", bytes=len(sealed), most=LARGEST_SEALED)
    if not sealed.startswith(_AGE_MARK):
        raise RefusedError("sealed-not-age")
    try:
        plain = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)])
    except pyrage.DecryptError as error:
        key = "sealed-not-ours" if "matching keys" in str(error) else "sealed-damaged"
        raise RefusedError(key, reason=str(error).partition("\n")[0][:80]) from error
    if plain[:16] != mark:
        raise RefusedError("sealed-format", found=ascii(plain[:16].decode("latin-1")))
    public, signature, length = plain[16:48], plain[48:112], int.from_bytes(plain[112:_HEAD], "big")
    if len(plain) < _HEAD or len(plain) != size_class(_HEAD + length) or plain[_HEAD + length :].strip(b"\0"):
        raise RefusedError("sealed-damaged", reason="length")
    body = plain[_HEAD : _HEAD + length]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, mark + body)
    except (InvalidSignature, ValueError) as error:
        raise RefusedError("sealed-unsigned") from error
    return Opened(public, body)


def size_class(size: int) -> int:
    """Return the size up to which a content of `size` bytes is filled: how much there was stays hidden."""
    for candidate in SMALL_CLASSES:
        if size <= candidate:
            return candidate
    return -(-size // LARGE_CLASS) * LARGE_CLASS


def recipient_of(text: str) -> object:
    """Return an age recipient; raise RefusedError when `text` is none."""
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise RefusedError("recipient-wrong", recipient=text[:80]) from error
