"""Where things lie in a release repository, on a stick and on a server alike. Pure.

metadata/{1.root.json, ..., timestamp.json, N.snapshot.json, N.targets.json}
targets/<sha256>.release.json     what a release holds
parts/ab/<sha256>                 the bytes: parts of files, and deltas
signing/                          drafts and receipts of whoever signs; devices never look here
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from edge.release.contents import Contents, write

METADATA, TARGETS, SIGNING = "metadata", "targets", "signing"
RELEASE = "release.json"
TIMESTAMP = f"{METADATA}/timestamp.json"

KNOWN = re.compile(
    rf"{METADATA}/(?P<role>timestamp|\d{{1,9}}\.(root|snapshot|targets))\.json"
    rf"|{TARGETS}/[0-9a-f]{{64}}\.release\.json"
)
"""The only names that metadata may make us ask for."""

LIMITS = {"root": 64 << 10, "timestamp": 16 << 10, "snapshot": 16 << 10, "targets": 64 << 10, RELEASE: 64 << 20}
"""The most bytes each file may have; no more than that is ever read."""


def limit(name: str) -> int | None:
    """Return how large a file of this name may be, or None when the repository has no such files."""
    found = KNOWN.fullmatch(name)
    if found is None:
        return None
    role = found["role"]
    return LIMITS[role.rpartition(".")[2] if role else RELEASE]


def metadata(role: str, version: int | None = None) -> str:
    """Return where the metadata of a role lies."""
    return f"{METADATA}/{role}.json" if version is None else f"{METADATA}/{version}.{role}.json"


def target(sha256: str) -> str:
    """Return where the contents with this hash lie."""
    return f"{TARGETS}/{sha256}.{RELEASE}"


def part(sha256: str) -> str:
    """Return where a part or a delta lies."""
    return f"parts/{sha256[:2]}/{sha256}"


def needed(contents: Contents) -> Iterator[tuple[str, int]]:
    """Yield the name and size of every file of a repository that this release needs, besides its metadata."""
    content = write(contents)
    yield target(hashlib.sha256(content).hexdigest()), len(content)
    parts = {p.sha256: p.size for file in contents.files for p in file.parts}
    deltas = {d.sha256: d.size for file in contents.files for d in file.deltas}
    for sha256, size in (parts | deltas).items():
        yield part(sha256), size
