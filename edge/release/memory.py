"""What a device remembers about whom it trusts: the newest root, and the newest of what it signed.

`HOME/trust` holds copies of what was verified, each replaced at once. Losing them loses no release, only
the knowledge that some older one must be refused; a damaged one counts as lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from edge.files import write_atomic

ROOT = "root.json"
OTHERS = ("timestamp.json", "snapshot.json", "targets.json")
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Memory:
    """The folder `trust` of one device."""

    folder: Path

    def root(self) -> bytes | None:
        """Return the newest root this device knows, or None."""
        return self.read(ROOT)

    def lay_out(self, bench: Path) -> None:
        """Put what is remembered, besides the root, where python-tuf looks for it."""
        for name in OTHERS:
            if (content := self.read(name)) is not None:
                (bench / name).write_bytes(content)

    def keep(self, bench: Path) -> None:
        """Remember what was verified; raise OSError when the disk is full or read-only."""
        for name in (ROOT, *OTHERS):
            path = bench / name
            if path.is_file() and (content := path.read_bytes()) != self.read(name):
                write_atomic(self.folder / name, content)

    def trust(self, root: bytes) -> None:
        """Begin anew with this root: a person said so."""
        for name in OTHERS:
            (self.folder / name).unlink(missing_ok=True)
        write_atomic(self.folder / ROOT, root)

    def read(self, name: str) -> bytes | None:
        """Return a remembered file, or None."""
        path = self.folder / name
        try:
            content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        except OSError:
            return None
        return content or None


def embedded_root() -> bytes | None:
    """Return the root that whoever built this app put into it, or None: then a person must name one."""
    path = files("edge.release").joinpath(ROOT)
    return path.read_bytes() if path.is_file() else None
