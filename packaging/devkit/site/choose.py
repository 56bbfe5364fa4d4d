"""Which model and which voices a computer gets. Pure: what is known comes in, a choice comes out.

One rule for `plan` and for `laptop`: the largest model that fits its memory, one with a report card
before one without; the smallest voice of medium quality, from Latin America before Europe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.release.installed import ENDINGS
from edge.release.manifest import Artifact, Release

SYSTEM_MB, UNMEASURED_FACTOR = 900, 1.1
"""The catalogue's rule where nobody measured: a tenth more than the file, and the system with the app."""


@dataclass(frozen=True, slots=True)
class Model:
    """A language model that could go on a computer."""

    id: str
    size: int
    least_ram_mb: int
    """The whole memory of the computer."""

    languages: tuple[str, ...] = ()
    """Empty when nobody said; it may then be any."""

    carded: bool = False
    """Whether a report card about this very file opens something; without one a device only lets it be tried."""

    here: bool = False
    """Whether the depot has it."""

    kind: str = "lm"
    """lm, or lm-onnx: that one answers one person at a time, and no class."""


def least_ram_mb(size: int, measured: int | None) -> int:
    """Return the memory a computer needs for a model file of this size."""
    return measured or round(size * UNMEASURED_FACTOR / 1e6) + SYSTEM_MB


def from_catalogue(release: Release, here: Iterable[str] = ()) -> list[Model]:
    """Return the models that can be fetched and verified: of known size and hash."""
    present = set(here)
    return [
        Model(
            a.id, a.size, least_ram_mb(a.size, a.min_ram_mb), a.languages, a.card is not None, a.id in present, a.kind
        )
        for a in release.artifacts
        if a.kind in ENDINGS and not a.embedded and a.size and a.sha256
    ]


def model(models: Iterable[Model], languages: Iterable[str], ram_mb: int, most_bytes: int) -> Model | None:
    """Return the largest model that fits; one with a report card is worth more than a larger one without.

    So is a GGUF file more than an ONNX file, and one that is known to speak a language of the site more than one of
    which nobody said.
    """
    spoken = set(languages)
    fitting = [
        m for m in models
        if m.least_ram_mb <= ram_mb and m.size <= most_bytes and (not m.languages or spoken & set(m.languages))
    ]  # fmt: skip
    return max(fitting, key=lambda m: (m.carded, m.kind == "lm", bool(m.languages), m.size, m.id), default=None)


def voice(release: Release, lang: str, ram_mb: int, *, small: bool) -> Artifact | None:
    """Return the voice for a language; None when there is none, then espeak-ng speaks."""
    described = {a.file for a in release.artifacts if a.kind == "voice-config" and a.sha256}
    voices = [
        a for a in release.artifacts
        if a.kind == "voice" and a.size and a.sha256 and lang in a.languages and f"{a.file}.json" in described
        and (a.min_ram_mb or 0) <= ram_mb
    ]  # fmt: skip
    europe = {"es": "es_es", "pt": "pt_pt"}.get(lang, "-")

    def rank(a: Artifact) -> tuple[bool, bool, int, str]:
        far = a.id.startswith(europe)
        return (False, far, a.size or 0, a.id) if small else (far, not a.id.endswith("medium"), a.size or 0, a.id)

    return min(voices, key=rank, default=None)
