"""Small releases for tests: their files in memory, their parts served as a repository would.

Signing and verifying belong to other tests; what comes from here is taken as trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.release.contents import Contents, Delta, Part, ReleaseFile

PART_BYTES = 4096


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
            id=path.partition("/")[2].partition("/")[0].removesuffix(".gguf").removesuffix(".json"),
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


def kind_of(path: str) -> str:
    """Return the kind of a file by its first folder."""
    first = path.partition("/")[0]
    kinds = {"app": "app", "models": "lm", "voices": "voice", "packs": "pack", "adapters": "adapter"}
    return "card" if path.endswith(".card.json") else kinds.get(first, "manifest")
