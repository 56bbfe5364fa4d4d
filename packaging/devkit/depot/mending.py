"""Which command brings a thing into the depot, written so that a person can copy it. Pure."""

from __future__ import annotations

import shlex

from edge.release.manifest import Release

PLACE = {
    "pack": "{}/", "app": "{}.zip", "image": "{}.img", "adapter": "{}.gguf",
    "lm": "{}.gguf", "lm-onnx": "{}.onnx", "voice": "{}.onnx",
}  # fmt: skip
"""What a person has to hand for each kind, when the catalogue does not have it."""


def command(kind: str, name: str, release: Release, depot: str | None = None) -> str:
    """Return the command that brings `name` into the depot."""
    where = f" --depot {shlex.quote(depot)}" if depot else ""
    known = release.find(name)
    if kind in ("lm", "lm-onnx", "voice") and known is not None and known.url is not None and known.sha256 is not None:
        return f"amauta-kit depot sync --catalogue {shlex.quote(name)}{where}"
    if kind == "release":
        return f"amauta-kit depot sync --from URL{where}"
    return f"amauta-kit depot add {shlex.quote(PLACE.get(kind, '{}').format(name))}{where}"
