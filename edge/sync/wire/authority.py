"""The certificate authority of an office that signs for itself: given once, kept in the device's folder for this hub.

Whoever has that authority's key can show a certificate for the hub; what is delivered stays sealed for the hub alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomic
from edge.sync.errors import SyncError

LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Authority:
    """What a person can compare with what the office says."""

    name: str
    until: str
    """The day on which it ends, as 2030-12-31."""

    sha256: str
    """Of the certificate itself."""


def place_of(home: Path, hub: str) -> Path:
    """Return where the authority of this hub is kept."""
    return home / f"authority-{hub}.pem"


def kept(home: Path, hub: str) -> Path | None:
    """Return the file of the authority that was kept for this hub, if one was."""
    place = place_of(home, hub)
    return place if place.is_file() else None


def keep(home: Path, hub: str, given: Path) -> Authority:
    """Copy the certificates of a file, and nothing else in it; raise SyncError when it holds none."""
    from cryptography.hazmat.primitives.serialization import Encoding

    certificates = _certificates(given)
    place = place_of(home, hub)
    try:
        write_atomic(place, b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        if os.name == "posix":
            place.chmod(0o600)
    except OSError as error:
        raise SyncError("papers-disk", path=place, reason=error.strerror or str(error)) from error
    return read(place)


def read(path: Path) -> Authority:
    """Return what the first certificate of a file says of itself; raise SyncError when it holds none."""
    from cryptography.hazmat.primitives.hashes import SHA256

    first = _certificates(path)[0]
    name = "".join(c if c.isprintable() else "?" for c in first.subject.rfc4514_string())[:120]
    return Authority(name, f"{first.not_valid_after_utc:%Y-%m-%d}", first.fingerprint(SHA256()).hex())


def _certificates(path: Path) -> list:  # type: ignore[type-arg]
    from cryptography.x509 import load_pem_x509_certificates

    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise ValueError(f"> {LARGEST_BYTES >> 20} MB")
        return load_pem_x509_certificates(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SyncError("wire-ca", path=path, reason=reason.splitlines()[0][:80]) from error
