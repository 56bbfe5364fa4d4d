"""Certificates for tests: an authority of our own, and what it signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    """Who signs certificates, as a ministry does for itself."""

    folder: Path
    name: str = "Ministerio"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        made = (
            x509.CertificateBuilder(_name(self.name), _name(self.name), self.key.public_key(), 1)
            .not_valid_before(now - 4000 * DAY)
            .not_valid_after(now + 4000 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.folder.mkdir(exist_ok=True)
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    @property
    def file(self) -> Path:
        """What a device is given for `--ca`."""
        return self.folder / "authority.pem"

    def server(self, host: str = "localhost", begin: timedelta = -DAY, end: timedelta = 9 * DAY) -> dict[str, str]:
        """Sign a certificate for `host`, good from `begin` to `end` from now on; return uvicorn's settings for it."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            x509.CertificateBuilder(_name(self.name), _name(host), key.public_key(), x509.random_serial_number())
            .not_valid_before(now + begin)
            .not_valid_after(now + end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        settings = {"ssl_certfile": str(self.folder / "server.pem"), "ssl_keyfile": str(self.folder / "server.key")}
        Path(settings["ssl_certfile"]).write_bytes(made.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        Path(settings["ssl_keyfile"]).write_bytes(content)
        return settings
