"""What a laptop needs and can hold: packs, a model, a voice, with their bytes.

Pure: the catalogue and the packs come in, rows go out. Copying belongs to later verbs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devkit.site import choose
from edge.release.manifest import Artifact, Release

LEAST_RAM_MB = 512
"""Below this the app itself does not run well; measured with the mini model, see docs/benchmarks.md."""

LARGEST_MODEL = 1 << 40
"""No limit: the question is what fits, not what a site should carry."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to have on the laptop."""

    what: Literal["pack", "model", "voice"]
    name: str
    size: int
    embedded: bool
    verified: bool


def rows_for(release: Release, packs: Iterable[tuple[str, str, Path]], lang: str, ram_mb: int) -> list[Row]:
    """Return what goes on a laptop: packs in `lang`, the embedded models, the largest model and voice that fit."""
    rows = [Row("pack", name, _bytes_of(folder), True, True) for name, spoken, folder in packs if spoken == lang]
    rows += [_row("model", a) for a in release.artifacts if a.embedded and a.size]
    model = choose.model(choose.from_catalogue(release), [lang], ram_mb, LARGEST_MODEL)
    chosen, voice = release.find(model.id) if model else None, choose.voice(release, lang, ram_mb, small=False)
    rows += [_row("model", chosen)] if chosen else []
    rows += [_row("voice", voice)] if voice else []
    return rows


def _row(what: Literal["model", "voice"], artifact: Artifact) -> Row:
    return Row(what, artifact.id, artifact.size or 0, artifact.embedded, artifact.verified)


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
