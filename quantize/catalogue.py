"""Bring the embedded models in models_manifest.json up to date: `python -m quantize.catalogue`.

Only the rows marked `embedded` change, and only these fields; everything else in the
catalogue is written by people.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edge.files import sha256_of, write_atomic
from edge.release.manifest import NAME, parse
from quantize.recipe import ROOT


def refresh(manifest: Path, models: Path) -> list[str]:
    """Rewrite the catalogue for the files in `models`; return the names of what changed."""
    found = json.loads(manifest.read_bytes())
    changed = []
    for row in found["artifacts"]:
        if row["embedded"]:
            path = models / row["file"]
            facts = {"size": path.stat().st_size, "sha256": sha256_of(path), "verified": True}
            if {name: row[name] for name in facts} != facts:
                changed.append(row["id"])
                row.update(facts)
    content = (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode()
    parse(content)
    if changed:
        write_atomic(manifest, content)
        manifest.chmod(0o644)
    return changed


if __name__ == "__main__":
    for name in refresh(ROOT / NAME, ROOT / "edge" / "models"):
        sys.stdout.write(f"{name}\n")
