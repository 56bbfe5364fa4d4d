"""Small releases for tests: a shop that is taken as trusted, and a press that signs real repositories."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from edge.release.contents import Contents, Delta, Part, ReleaseFile
from quantize.signing.drafts import first_root, save_draft, sign_draft
from quantize.signing.keys import ROLES, PublicKey
from quantize.signing.repository import Repository
from quantize.signing.sign import sign

PART_BYTES = 4096
NOON = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Shop:
    """The parts of every release made so far, and what was asked for."""

    parts: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, sha256: str, size: int) -> bytes:
        """Hand over one part."""
        self.asked.append(sha256)
        assert len(self.parts[sha256]) == size
        return self.parts[sha256]

    def keep(self, content: bytes) -> str:
        """Offer some bytes; return their name."""
        name = hashlib.sha256(content).hexdigest()
        self.parts[name] = content
        return name

    def release(self, number: int, files: Mapping[str, bytes], *, old: Mapping[str, bytes] | None = None) -> Contents:
        """Offer a release; with `old`, its files also as deltas from those of the same path."""
        rows = tuple(self._file(path, content, (old or {}).get(path)) for path, content in files.items())
        return Contents(number=number, version=f"0.{number}.0", files=rows)

    def _file(self, path: str, content: bytes, old: bytes | None) -> ReleaseFile:
        pieces = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
        deltas = () if old is None else (self._delta(old, content),)
        return ReleaseFile(
            path=path,
            kind=kind_of(path),
            id=id_of(path),
            platform=path.split("/")[1] if path.startswith("app/") else "",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            mode=0o755 if path.startswith("app/") else 0o644,
            parts=tuple(Part(sha256=self.keep(piece), size=len(piece)) for piece in pieces),
            deltas=deltas,
        )

    def _delta(self, old: bytes, new: bytes) -> Delta:
        import zstandard

        words = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        packed = zstandard.ZstdCompressor(level=19, dict_data=words).compress(new)
        return Delta(base=hashlib.sha256(old).hexdigest(), sha256=self.keep(packed), size=len(packed))


def id_of(path: str) -> str:
    """Return what a file is called in a release."""
    name = path.partition("/")[2].partition("/")[0]
    endings = (".gguf", ".json", ".onnx") if path.startswith("models/") else (".gguf", ".json")
    for ending in endings:
        name = name.removesuffix(ending)
    return name


def kind_of(path: str) -> str:
    """Return the kind of a file by its first folder."""
    first = path.partition("/")[0]
    kinds = {"app": "app", "models": "lm", "voices": "voice", "packs": "pack", "adapters": "adapter"}
    if path.startswith("models/") and path.endswith(".json"):
        return "card"
    if path.startswith("models/") and path.endswith(".onnx"):
        return "lm-onnx"
    return "voice-config" if path.endswith(".onnx.json") else kinds.get(first, "manifest")


class Press:
    """A real repository with real keys, as `amauta-quantize` signs it."""

    def __init__(self, folder: Path, at: datetime = NOON) -> None:
        self.folder, self._at = folder, at
        self._repo = Repository(folder)
        private = {role: Ed25519PrivateKey.generate() for role in ROLES}
        public = {role: _public(role, key) for role, key in private.items()}
        signers = {role: CryptoSigner(key, public[role].for_root()) for role, key in private.items()}
        self._signers = {signer.public_key.keyid: signer for role, signer in signers.items() if role != "root"}
        draft = save_draft(self._repo, first_root({role: [key] for role, key in public.items()}, 1, at, 3), again=False)
        sign_draft(draft, signers["root"], None)

    @property
    def root(self) -> bytes:
        """The root that an app would carry."""
        return self._repo.root_bytes(1)

    def publish(self, files: Mapping[str, bytes], tmp: Path) -> Contents:
        """Make these files the next release."""
        shutil.rmtree(tmp, ignore_errors=True)
        for name, content in files.items():
            path = tmp / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if name.startswith("app/"):
                path.chmod(0o755)
        number = 1 + (current.contents.number if (current := self._repo.current()) else 0)
        return sign(tmp, self._repo, self._signers, self._at, 3, f"0.{number}.0", lambda *_: None).contents

    def web(self) -> dict[str, bytes]:
        """Return what a server would serve."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {f"/{path.relative_to(self.folder).as_posix()}": path.read_bytes() for path in paths}


def _public(role: str, key: Ed25519PrivateKey) -> PublicKey:
    found = SSlibKey.from_crypto(key.public_key())
    return PublicKey(role, role, found.keyid, found.keyval["public"])
