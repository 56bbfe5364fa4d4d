"""Put one artifact with its card into a numbered release, and its row into the catalogue.

The catalogue at the root is replaced last: until then the old release is what there is.
Publishing the same bytes again changes nothing, not even a date. Signing is `quantize.signing`:
the folder is complete then, and its copy of the catalogue names every hash (docs/pipeline/publish.md).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.files import sha256_of, write_atomic
from edge.release import card as cards
from edge.release.manifest import NAME
from quantize.publish.canonical import canonical, with_rows
from quantize.publish.duties import refuse_breach
from quantize.publish.settings import PublishSettings
from quantize.recipe import ROOT, RecipeError

SYSTEM_MB, STEP_MB, LEAST_MB = 400, 256, 512
"""Memory left for the system beside the model, and how the sum is rounded up."""


def publish(
    settings: PublishSettings,
    model: Path,
    card: Path,
    extras: Sequence[Path],
    releases: Path,
    manifest: Path,
    models: Path,
) -> Path:
    """Publish `model` with its `card` and `extras`; return the release's folder."""
    refuse_breach(settings)
    digest = sha256_of(model)
    if cards.load(card).sha256 != digest:
        raise RecipeError("publish-card", card=card, model=model.name)
    found = json.loads(manifest.read_bytes())
    row = _row(settings, model, digest, json.loads(card.read_bytes()))
    fresh = with_rows(found, {settings.id: row})
    content = canonical(fresh)
    folder = releases / str(fresh["release"])
    place = folder / settings.id
    _copy(model, place / model.name, digest)
    for path in (card, *extras):
        _copy(path, place / path.name, sha256_of(path))
    _write_words(settings, place)
    _write(folder / NAME, content)
    _write(folder / "SHA256SUMS", _sums(folder))
    if settings.embedded:
        _embed(model, card, models / settings.embedded, digest)
    _write(manifest, content)
    return folder


def least_memory(settings: PublishSettings, peak_mb: float | None) -> int | None:
    """Return the least memory of a device, in units of 2^20 bytes; None when nobody measured or said."""
    if settings.min_ram_mb:
        return settings.min_ram_mb
    if peak_mb is None:
        return None
    return max(LEAST_MB, -(-(round(peak_mb) + SYSTEM_MB) // STEP_MB) * STEP_MB)


def _row(settings: PublishSettings, model: Path, digest: str, card: Mapping[str, Any]) -> dict[str, Any]:
    inside = settings.embedded
    row = {
        "id": settings.id,
        "kind": settings.kind,
        "file": f"{inside}/{model.name}" if inside else model.name,
        "embedded": bool(inside),
        "verified": bool(inside),
        "languages": list(settings.languages),
        "url": settings.url or None,
        "size": model.stat().st_size,
        "sha256": digest,
        "licence": settings.licence,
        "min_ram_mb": least_memory(settings, card.get("figures", {}).get("peak_mb")),
        "card": f"{inside}/card.json" if inside else None,
    }
    return row | ({"notice": settings.notice} if settings.notice else {})


def _write_words(settings: PublishSettings, place: Path) -> None:
    """Write what the licence makes travel, as files of their own."""
    if settings.notice:
        _write(place / "NOTICE.txt", f"{settings.notice.strip()}\n".encode())
    if settings.licence_file:
        source = ROOT / settings.licence_file
        if not source.is_file():
            raise RecipeError("publish-licence-file", licence=settings.licence, path=settings.licence_file)
        _copy(source, place / "LICENCE.txt", sha256_of(source))


def _write(path: Path, content: bytes) -> None:
    """Write a file that everybody may read, unless it holds these bytes already."""
    if not path.is_file() or path.read_bytes() != content:
        write_atomic(path, content)
        path.chmod(0o644)


def _copy(source: Path, target: Path, digest: str) -> None:
    """Copy a file unless those very bytes are there; never leave half of one under its name."""
    if target.is_file() and sha256_of(target) == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.copyfile(source, partial)
        if sha256_of(partial) != digest:
            raise RecipeError("publish-changed", path=source)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _embed(model: Path, card: Path, folder: Path, digest: str) -> None:
    """Put model and card where the app finds them; the card last, it vouches for the model."""
    target = folder / "card.json"
    if not (folder / model.name).is_file() or sha256_of(folder / model.name) != digest:
        target.unlink(missing_ok=True)
    _copy(model, folder / model.name, digest)
    _copy(card, target, sha256_of(card))


def _sums(folder: Path) -> bytes:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files).encode()
