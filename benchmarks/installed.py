"""A device whose release brought a model that may answer: any file, with a report card about just that file.

Real weights good enough for that are none of ours to give away; what a model of random weights writes is refused by the tutor's
checks, and the library answers after it. For time and memory that is the same work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from edge.files import sha256_of
from edge.release.contents import Contents, Part, ReleaseFile, cut
from edge.update.install import install

NAME = "escuela"


def install_model(home: Path, model: Path, folder: Path) -> Path:
    """Install `model` and a card that opens it, written in `folder`; return the file on the device."""
    card = folder / f"{NAME}.json"
    gate = {"conditions": [{"figure": "opened-for-a-measurement", "value": 1.0, "least": 1.0}]}
    facts = {"model": NAME, "sha256": sha256_of(model), "capabilities": {"grounded_answer": gate}, "figures": {}}
    card.write_text(json.dumps(facts), encoding="utf-8")
    rows, places = [], dict[str, tuple[Path, int]]()
    for kind, path, file in (("lm", f"models/{NAME}.gguf", model), ("card", f"models/{NAME}.json", card)):
        parts = cut(file)
        places |= {part.sha256: (file, at) for part, at in _starts(parts)}
        rows.append(_row(kind, path, file, parts))

    def fetch(sha256: str, size: int) -> bytes:
        file, at = places[sha256]
        with file.open("rb") as content:
            content.seek(at)
            return content.read(size)

    install(home, Contents(1, "0.1.0", tuple(rows)), fetch, lambda _done, _total: None, lambda _: None)
    return next(home.rglob(f"{NAME}.gguf"))


def _starts(parts: tuple[Part, ...]) -> Iterator[tuple[Part, int]]:
    at = 0
    for part in parts:
        yield part, at
        at += part.size


def _row(kind: str, path: str, file: Path, parts: tuple[Part, ...]) -> ReleaseFile:
    return ReleaseFile(path, kind, NAME, "", file.stat().st_size, sha256_of(file), 0o644, parts, ())
