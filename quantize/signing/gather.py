"""Look through a folder laid out the way devices keep a release, and tell of each file what it is.

    app/<platform>/...          the frozen app; what may be run is marked so on the disk
    models/<id>.gguf            with models/<id>.json, its report card; <id>.onnx likewise
    voices/<id>.onnx            with voices/<id>.onnx.json
    packs/<id>/...
    adapters/<id>.gguf          with adapters/<id>.json
    manifest/models_manifest.json

What lies anywhere else is refused: it would be forgotten silently. Reads names and rights, not content.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.release.contents import IDENTIFIER
from edge.release.manifest import NAME, parse
from quantize.recipe import RecipeError

PLACES = (
    ("app", re.compile(r"app/(?P<platform>[^/]+)/.+")),
    ("lm", re.compile(r"models/(?P<id>[^/]+)\.gguf")),
    ("lm-onnx", re.compile(r"models/(?P<id>[^/]+)\.onnx")),
    ("card", re.compile(r"(models|adapters)/(?P<id>[^/]+)\.json")),
    ("voice", re.compile(r"voices/(?P<id>[^/]+)\.onnx")),
    ("voice-config", re.compile(r"voices/(?P<id>[^/]+)\.onnx\.json")),
    ("card", re.compile(r"voices/(?P<id>[^/]+)\.(sha256|txt)")),
    ("pack", re.compile(r"packs/(?P<id>[^/]+)/.+")),
    ("adapter", re.compile(r"adapters/(?P<id>[^/]+)\.gguf")),
    ("manifest", re.compile(rf"manifest/(?P<id>{re.escape(NAME)})")),
)
"""What a file is, by where it lies; the first that fits."""

OTHER_SIGNS = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """One file that goes into a release."""

    source: Path
    path: str
    """Where it goes, relative to the release."""

    kind: str
    id: str
    platform: str
    mode: int


def gather(folder: Path, manifest: Path | None = None) -> list[Found]:
    """Return the files of a folder in order; raise RecipeError for the first that is not understood.

    `manifest` takes the place of the catalogue in the folder.
    """
    if not folder.is_dir():
        raise RecipeError("sign-no-folder", path=folder)
    found = [_found(folder, path) for path in _walk(folder)]
    if manifest is not None:
        if not manifest.is_file():
            raise RecipeError("key-unreadable", path=manifest, reason="-")
        place = f"manifest/{NAME}"
        found = [file for file in found if file.path != place]
        found.append(Found(manifest, place, "manifest", NAME, "", 0o644))
    if not found:
        raise RecipeError("sign-empty", path=folder)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    """Yield every file; a link would be another file on every other machine."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            raise RecipeError("sign-link", path=path)
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path
        else:
            raise RecipeError("sign-link", path=path)


def _found(folder: Path, source: Path) -> Found:
    path = source.relative_to(folder).as_posix()
    for kind, place in PLACES:
        if match := place.fullmatch(path):
            facts = match.groupdict()
            name = OTHER_SIGNS.sub("-", facts.get("id", "app").lower()).strip("-._")
            if not IDENTIFIER.fullmatch(name):
                raise RecipeError("sign-place", path=path)
            runs = kind == "app" and source.stat().st_mode & stat.S_IXUSR
            return Found(source, path, kind, name, facts.get("platform", ""), 0o755 if runs else 0o644)
    raise RecipeError("sign-place", path=path)


def check_catalogue(files: Sequence[Found], hashes: Mapping[str, str]) -> None:
    """Refuse a model or voice whose bytes are not those of the catalogue that travels with it.

    `hashes` names the files' SHA-256 by path. A model the catalogue does not know is the organisation's own.
    """
    manifest = next((file for file in files if file.kind == "manifest"), None)
    if manifest is None:
        return
    rows = {(row.kind, row.id): row for row in parse(manifest.source.read_bytes()).artifacts}
    for file in files:
        row = rows.get((file.kind, file.id))
        if row and row.sha256 not in (None, hashes[file.path]):
            raise RecipeError("sign-catalogue", path=file.path, manifest=manifest.path)
