"""Bring the rows of the embedded models up to date: `python -m quantize.publish`.

For models whose own recipe puts them into edge/models (reader, search). Only sizes and
hashes change; everything else about them in the catalogue is written by people.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge.files import sha256_of, write_atomic
from quantize.publish.canonical import canonical, with_rows


def refresh(manifest: Path, models: Path) -> list[str]:
    """Rewrite the catalogue for the files in `models`; return the names of what changed."""
    before = manifest.read_bytes()
    found = json.loads(before)
    rows = {}
    for row in found["artifacts"]:
        if row["embedded"]:
            path = models / row["file"]
            rows[row["id"]] = {**row, "size": path.stat().st_size, "sha256": sha256_of(path), "verified": True}
    content = canonical(with_rows(found, rows))
    if content != before:
        write_atomic(manifest, content)
        manifest.chmod(0o644)
    return [row["id"] for row in found["artifacts"] if row["id"] in rows and rows[row["id"]] != row]
