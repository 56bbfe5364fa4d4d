"""What a laptop needs and can hold: packs, a model, a voice, with their bytes.

Pure: the catalogue and the packs come in, rows go out. Copying belongs to later verbs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.release.manifest import Artifact, Release

LEAST_RAM_MB = 512
"""Below this the app itself does not run well; measured with the mini model, see docs/benchmarks.md."""

SPARE_RAM_MB = 900
"""What the system and the app take before a larger model may have the rest."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to have on the laptop."""

    what: Literal["pack", "model", "voice"]
    name: str
    size: int
    embedded: bool
    verified: bool


UNMEASURED_FACTOR = 1.35


def rows_for(release: Release, packs: Iterable[tuple[str, str, Path]], lang: str, ram_mb: int) -> list[Row]:
    """Return what goes on a laptop: packs in `lang`, the embedded models, the largest model and voice that fit."""
    rows = [Row("pack", name, _bytes_of(folder), True, True) for name, spoken, folder in packs if spoken == lang]
    rows += [_row("model", a) for a in release.artifacts if a.embedded and a.size]
    model, voice = _model(release, lang, ram_mb - SPARE_RAM_MB), _voice(release, lang)
    rows += [_row("model", model)] if model else []
    rows += [_row("voice", voice)] if voice else []
    return rows


def _candidates(release: Release, kind: str, lang: str) -> list[Artifact]:
    """Return what can be fetched and verified: of known size and hash."""
    return [
        a for a in release.artifacts
        if a.kind == kind and not a.embedded and a.size and a.sha256 and (lang in a.languages or not a.languages)
    ]  # fmt: skip


def _model(release: Release, lang: str, ram_mb: int) -> Artifact | None:
    """Return the largest language model that fits in memory."""
    fitting = [a for a in _candidates(release, "lm", lang) if _least_ram_mb(a) <= ram_mb]
    return max(fitting, key=lambda a: a.size or 0, default=None)


def _least_ram_mb(artifact: Artifact) -> float:
    """Return the memory a model needs; where nobody measured it, a third more than its file."""
    return artifact.min_ram_mb or (artifact.size or 0) * UNMEASURED_FACTOR / 1e6


def _voice(release: Release, lang: str) -> Artifact | None:
    """Return the smallest voice of medium quality, from Latin America rather than from Europe."""
    key = {"es": "es_es", "pt": "pt_pt"}.get(lang, "")
    voices = _candidates(release, "voice", lang)
    return min(voices, key=lambda a: (a.id.startswith(key), not a.id.endswith("medium"), a.size or 0), default=None)


def _row(what: Literal["model", "voice"], artifact: Artifact) -> Row:
    return Row(what, artifact.id, artifact.size or 0, artifact.embedded, artifact.verified)


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
