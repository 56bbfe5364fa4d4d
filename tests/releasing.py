"""A small organisation with real keys: it holds a ceremony, signs releases, changes its keys, and can be impersonated."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from quantize.signing import drafts
from quantize.signing.keys import ROLES, PublicKey
from quantize.signing.repository import Repository
from quantize.signing.sign import Done, renew, sign
from serving import Site, serving

SIGNED = datetime(2027, 3, 1, tzinfo=UTC)
"""When the releases of tests are signed: after this program was made."""

LATER = datetime(2027, 9, 1, tzinfo=UTC)
FILES = {
    "models/mini.gguf": bytes(range(256)) * 40,
    "packs/primaria/pack.toml": b'title = "Primaria"\n' * 300,
    "packs/primaria/lessons/agua.md": b"# El agua\n",
    "app/linux-x86_64/amauta": b"\x7fELF" + bytes(2000),
}

Offer = Literal["folder", "http"]


@dataclass
class Organisation:
    """Its repository, and every key it ever made."""

    repo: Repository
    keys: dict[str, tuple[PublicKey, CryptoSigner]] = field(default_factory=dict)

    @classmethod
    def founded(cls, folder: Path, *, targets: int = 1, threshold: int = 1) -> Organisation:
        """Hold the ceremony: three root keys, two of which must sign."""
        made = cls(Repository(folder))
        keys = {role: [made.key(role, f"{role}-{n}") for n in range(3 if role == "root" else 1)] for role in ROLES}
        keys["targets"] += [made.key("targets", f"targets-{n}") for n in range(1, targets)]
        root = drafts.first_root(keys, 2, SIGNED, 5)
        root.roles["targets"].threshold = threshold
        made.adopt(root, "root-0", "root-1")
        return made

    def founded_again(self, folder: Path) -> Organisation:
        """Hold a new ceremony because the old root is lost; the keys of releases stay."""
        made = Organisation(Repository(folder), {name: key for name, key in self.keys.items() if "root" not in name})
        keys = {role: [made.keys[f"{role}-0"][0]] for role in ROLES[1:]}
        roots = [made.key("root", f"root-{n}") for n in range(3)]
        made.adopt(drafts.first_root({"root": roots, **keys}, 2, SIGNED, 5), "root-0", "root-1")
        return made

    def key(self, role: str, name: str) -> PublicKey:
        """Make a key."""
        signer = CryptoSigner.generate_ed25519()
        found = signer.public_key
        public = PublicKey(name, role, found.keyid, found.keyval["public"])
        self.keys[name] = (public, CryptoSigner(signer._private_key, public.for_root()))
        return public

    def adopt(self, root: Any, *names: str) -> None:
        """Sign a root with these keys, and make it count when that is enough."""
        path = drafts.save_draft(self.repo, root, again=True)
        previous = self.repo.root().signed if self.repo.newest_root() else None
        for name in names:
            drafts.sign_draft(path, self.keys[name][1], previous)
        if (done := drafts.finished(self.repo)) and not drafts.needs_renewal(self.repo, done.signed):
            drafts.promote(self.repo, done)

    def rotate(self, *names: str, **changes: Any) -> None:
        """Write the next root, sign it, and renew the release where that is needed."""
        self.adopt(drafts.changed_root(self.repo.root().signed, SIGNED, 5, **changes), *names)
        if drafts.finished(self.repo):
            renew(self.repo, self.signers(), SIGNED, 3)

    def signers(self, *without: str) -> dict[str, CryptoSigner]:
        """Return all keys but these, opened."""
        return {public.keyid: signer for name, (public, signer) in self.keys.items() if name not in without}

    def release(self, files: Mapping[str, bytes] = FILES, at: datetime = SIGNED, years: int = 3) -> Done:
        """Sign the next release with these files."""
        folder = self.repo.folder.with_name(f"{self.repo.folder.name}-input")
        lay_out(folder, files)
        return sign(folder, self.repo, self.signers(), at, years, "0.2.0", lambda *_: None)

    @property
    def first_root(self) -> bytes:
        """The root that an app is shipped with."""
        return self.repo.root_bytes(1)

    def forge(self, name: str, change: Callable[[Any], None], *signers: str) -> bytes:
        """Change a signed file and sign it again with these keys, as a thief of them would."""
        path = self.repo.folder / "metadata" / name
        metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
        change(metadata.signed)
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(self.keys[signer][1], append=True)
        return metadata.to_bytes()


def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder hold exactly these files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if name.startswith("app/") else 0o644)


@contextmanager
def offered(how: Offer, folder: Path, *, prepare: Callable[[Site], None] = lambda _: None) -> Iterator[Path | str]:
    """Offer a repository as it is now: as a folder, or from a real server."""
    if how == "folder":
        yield folder
        return
    files = {
        f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    with serving(files) as site:
        prepare(site)
        yield site.url
