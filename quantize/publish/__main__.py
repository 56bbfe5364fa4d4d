"""`python -m quantize.publish`: sizes and hashes of the embedded models into models_manifest.json."""

from __future__ import annotations

import sys

from edge.release.manifest import NAME
from quantize.publish.embedded import refresh
from quantize.recipe import ROOT

if __name__ == "__main__":
    for name in refresh(ROOT / NAME, ROOT / "edge" / "models"):
        sys.stdout.write(f"{name}\n")
