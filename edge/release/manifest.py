"""The catalogue of everything a device may run: models_manifest.json, parsed and checked.

Pure but for reading the file that ships with the app. What the catalogue does not
say is None; what this parser does not know, it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_type_hints

from edge.errors import EdgeError

NAME = "models_manifest.json"
KINDS = ("lm", "lm-onnx", "reader", "vocabulary", "search", "voice", "voice-config")
IDENTIFIER = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
FILE_NAME = re.compile(r"[\w][\w .+-]*(/[\w][\w .+-]*)?")
SHA256 = re.compile(r"[0-9a-f]{64}")
LANGUAGE = re.compile(r"[a-z]{2,3}")
MAY_LACK = ("notice",)
"""Fields that a row need not have; all others must be there, as null where nobody knows."""


class ManifestError(EdgeError):
    """The catalogue cannot be used."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One immutable file."""

    id: str
    kind: str
    file: str
    """Its name; inside the app, its place below edge/models."""

    embedded: bool
    verified: bool
    """Whether we opened this very file and it was what the catalogue says."""

    languages: tuple[str, ...]
    """Empty when nobody said."""

    url: str | None = None
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    min_ram_mb: int | None = None
    card: str | None = None
    """The report card below edge/models, where there is one."""

    notice: str | None = None
    """What the licence makes travel with the model, word for word; may be left out."""


@dataclass(frozen=True, slots=True)
class Release:
    """A numbered set of artifacts."""

    number: int
    artifacts: tuple[Artifact, ...]

    def find(self, artifact_id: str) -> Artifact | None:
        """Return the artifact of that name."""
        return next((artifact for artifact in self.artifacts if artifact.id == artifact_id), None)


def choose(release: Release, kind: str, ram_mb: int) -> Artifact | None:
    """Pick the largest artifact of `kind` known to run in `ram_mb`; of unknown needs, none."""
    fitting = [
        artifact
        for artifact in release.artifacts
        if artifact.kind == kind and artifact.min_ram_mb is not None and artifact.min_ram_mb <= ram_mb
    ]
    return max(fitting, key=lambda artifact: artifact.size or 0, default=None)


@cache
def embedded_release() -> Release:
    """Return the catalogue that ships with the app."""
    return parse(manifest_path().read_bytes())


def manifest_path() -> Path:
    """Return where the catalogue lies: inside an installed package, or at the root of the repository."""
    package = Path(str(files("edge")))
    return next(path for path in (package / NAME, package.parent / NAME) if path.is_file())


def parse(content: bytes) -> Release:
    """Read a catalogue; raise ManifestError for the first thing in it that is not right."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError("manifest-broken", where="JSON", reason=str(error)[:200]) from error
    _refuse(not isinstance(found, dict) or set(found) != {"release", "artifacts"}, "release, artifacts", found)
    number, rows = found["release"], found["artifacts"]
    _refuse(type(number) is not int or number < 1, "release", number)
    _refuse(not isinstance(rows, list), "artifacts", rows)
    artifacts = tuple(_artifact(row, f"artifacts[{place}]") for place, row in enumerate(rows))
    seen: set[str] = set()
    for artifact in artifacts:
        _refuse(artifact.id in seen, "id", artifact.id)
        seen.add(artifact.id)
    return Release(number, artifacts)


def _artifact(row: Any, where: str) -> Artifact:
    _refuse(not isinstance(row, dict), where, row)
    known = {field.name for field in fields(Artifact)}
    for name in row:
        _refuse(name not in known, where, name)
    for field, wanted in get_type_hints(Artifact).items():
        _refuse(field not in row and field not in MAY_LACK, f"{where}.{field}", "?")
        value = row.get(field)
        if field == "languages":
            sound = isinstance(value, list) and all(isinstance(v, str) and LANGUAGE.fullmatch(v) for v in value)
        else:
            sound = type(value) in (get_args(wanted) or (wanted,))
        _refuse(not sound, f"{where}.{field}", value)
    artifact = Artifact(**{**row, "languages": tuple(row["languages"])})
    _check(artifact, where)
    return artifact


def _check(artifact: Artifact, where: str) -> None:
    rules: Mapping[str, bool] = {
        # Both forms of one model may be on a device, each with a receipt by its name.
        "id": IDENTIFIER.fullmatch(artifact.id) is not None
        and (artifact.kind != "lm-onnx" or artifact.id.endswith("-onnx")),
        "kind": artifact.kind in KINDS,
        "file": _is_plain(artifact.file) and ("/" not in artifact.file or artifact.embedded),
        "url": artifact.url is None or artifact.url.startswith("https://"),
        "size": artifact.size is None or artifact.size > 0,
        "sha256": artifact.sha256 is None or SHA256.fullmatch(artifact.sha256) is not None,
        "min_ram_mb": artifact.min_ram_mb is None or artifact.min_ram_mb > 0,
        "card": artifact.card is None or _is_plain(artifact.card),
        "embedded": not artifact.embedded or None not in (artifact.size, artifact.sha256),
    }
    for field, right in rules.items():
        _refuse(not right, f"{where}.{field}", getattr(artifact, field))


def _is_plain(name: str) -> bool:
    return FILE_NAME.fullmatch(name) is not None


def _refuse(wrong: bool, where: str, value: object) -> None:
    if wrong:
        raise ManifestError("manifest-broken", where=where, reason=repr(value)[:80])
