"""The models that are on this device: those inside the app, and those a person added.

An added model is a GGUF or ONNX file with a receipt beside it, NAME.json, written last:
without its receipt a file was never whole. What a model may do, its report card
says; an added file without one may be tried, and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from edge.errors import ModelError
from edge.files import sha256_of, write_atomic
from edge.onnx.head import read_decoder_head
from edge.release import card
from edge.release.card import CAPABILITIES, ReportCard
from edge.release.manifest import Artifact, ManifestError, Release, parse
from edge.settings import Settings
from edge.tutor.gguf import read_head

LANGUAGE_MODELS = {".gguf": "lm", ".onnx": "lm-onnx"}
"""Kinds of language models, by the end of their file's name."""

ENDINGS = {kind: ending for ending, kind in LANGUAGE_MODELS.items()}


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """One model file that is here."""

    id: str
    kind: str
    path: Path
    embedded: bool
    sha256: str
    """What its content must be; empty when nothing says."""

    artifact: Artifact | None
    card: ReportCard | None

    @property
    def size(self) -> int:
        """Return its size in bytes; 0 when the file is gone."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def allows(self, capability: str) -> bool:
        """Tell whether a report card about this very file opens the capability."""
        return self.card is not None and self.card.sha256 == self.sha256 != "" and self.card.allows(capability)

    def closed(self) -> list[str]:
        """Return what the model may not do here."""
        return [name for name in CAPABILITIES if not self.allows(name)]


def installed_models(settings: Settings, release: Release) -> list[InstalledModel]:
    """Return the models on this device, those of the app first; what a release brought hides what it replaces."""
    found: dict[str, InstalledModel] = {}
    for folder in reversed(settings.folders("models")):
        for model in list(_released(folder.parent, release)) or _added(folder, release):
            # The same file twice: the release's has a report card.
            if model.id not in found or found[model.id].sha256 != model.sha256:
                found[model.id] = model
    own = [model for model in _embedded(release) if not (model.id in found and found[model.id].embedded)]
    return [*own, *sorted(found.values(), key=lambda model: model.id)]


def find_model(settings: Settings, release: Release, model_id: str) -> InstalledModel:
    """Return the model of that name; raise ModelError when it is not here."""
    models = installed_models(settings, release)
    for model in models:
        if model.id == model_id:
            return model
    here = ", ".join(model.id for model in models)
    raise ModelError("model-unknown", name=model_id[:60], here=here)


def model_for(
    settings: Settings, release: Release, capability: str, kinds: Collection[str] = tuple(ENDINGS)
) -> InstalledModel | None:
    """Return the largest language model on this device whose report card opens `capability`, if any.

    An ONNX file beside its GGUF file is another form of that one (`edge.onnx.choice`); alone it is a model by itself.
    """
    able = [m for m in installed_models(settings, release) if m.kind in kinds and m.allows(capability)]
    named = {model.sha256 for model in able}
    alone = [m for m in able if m.kind != "lm-onnx" or gguf_of(m.path) not in {"", *named}]
    return max(alone, key=lambda model: model.size, default=None)


def gguf_of(path: Path) -> str:
    """Return the SHA-256 of the GGUF file of which an ONNX file is another form; nothing where that cannot be read."""
    try:
        return read_decoder_head(path).gguf
    except ModelError:
        return ""


def is_whole(model: InstalledModel) -> bool:
    """Read the whole file again and compare it with what it must be; its report card must be readable too."""
    names_card = model.kind in ENDINGS and model.artifact is not None and model.artifact.card is not None
    if model.embedded and names_card and model.card is None:
        return False
    return model.path.is_file() and model.sha256 == sha256_of(model.path)


def add_model(file: Path, settings: Settings, release: Release, *, dry_run: bool) -> InstalledModel:
    """Check a GGUF or ONNX file and copy it to this device; raise ModelError when it may not come in."""
    name = re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._")
    ending = ".onnx" if file.suffix.lower() == ".onnx" else ".gguf"
    if ending == ".onnx" and not name.endswith("-onnx"):
        name = f"{name}-onnx"  # both forms of one model may be here
    if any(model.id == name for model in installed_models(settings, release)):
        raise ModelError("model-exists", name=name)
    (read_decoder_head if ending == ".onnx" else read_head)(file)
    digest = sha256_of(file)
    known = next((a for a in release.artifacts if a.id == name or a.file == file.name), None)
    if known is not None and known.sha256 not in (None, digest):
        raise ModelError("model-other", path=file, name=known.id)
    target = settings.models_folder / f"{name}{ending}"
    if not dry_run:
        try:
            _copy(file, target, digest)
        except OSError as error:
            target.unlink(missing_ok=True)
            reason = error.strerror or str(error)
            raise ModelError("model-disk", path=settings.models_folder, reason=reason) from error
    return InstalledModel(name, LANGUAGE_MODELS[ending], file if dry_run else target, False, digest, known, None)


def remove_model(model: InstalledModel, *, dry_run: bool) -> None:
    """Delete an added model; those of the app stay."""
    if model.embedded:
        raise ModelError("model-embedded", name=model.id)
    if dry_run:
        return
    try:
        for path in (_receipt(model.path), model.path):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError("model-disk", path=model.path, reason=error.strerror or str(error)) from error


def _embedded(release: Release) -> Iterator[InstalledModel]:
    folder = Path(str(files("edge").joinpath("models")))
    for artifact in release.artifacts:
        if artifact.embedded:
            about = _card_of(artifact, folder)
            path = folder / artifact.file
            yield InstalledModel(artifact.id, artifact.kind, path, True, artifact.sha256 or "", artifact, about)


def _card_of(artifact: Artifact, folder: Path) -> ReportCard | None:
    """Return the model's card; with a damaged one the model stays closed, and the rest of Amauta works."""
    if artifact.kind not in ENDINGS or artifact.card is None:
        return None
    return _readable_card(folder / artifact.card)


def _readable_card(path: Path) -> ReportCard | None:
    try:
        return card.load(path)
    except ModelError:
        return None


def _released(folder: Path, release: Release) -> Iterator[InstalledModel]:
    """Yield the language models of an installed release, with what its own catalogue and cards say of them."""
    if not folder.name.isdecimal():
        return
    from edge.update.receipt import recorded

    files = list(recorded(folder))
    for file in files:
        if file.kind == "manifest":
            release = _catalogue(folder / file.path) or release
    cards = {file.id: folder / file.path for file in files if file.path == f"models/{file.id}.json"}
    for file in files:
        if file.kind in ENDINGS:
            artifact = next((a for a in release.artifacts if a.sha256 == file.sha256), None)
            about = _readable_card(cards[file.id]) if file.id in cards else None
            yield InstalledModel(file.id, file.kind, folder / file.path, True, file.sha256, artifact, about)


def _catalogue(path: Path) -> Release | None:
    try:
        return parse(path.read_bytes())
    except (OSError, ManifestError):
        return None


def _added(folder: Path, release: Release) -> Iterator[InstalledModel]:
    for path in sorted(path for path in folder.glob("*.*") if path.suffix in LANGUAGE_MODELS):
        digest = _recorded(_receipt(path))
        artifact = next((a for a in release.artifacts if digest and a.sha256 == digest), None)
        yield InstalledModel(path.stem, LANGUAGE_MODELS[path.suffix], path, False, digest, artifact, None)


def _recorded(receipt: Path) -> str:
    try:
        found = json.loads(receipt.read_bytes())
    except (OSError, ValueError):
        return ""
    return str(found.get("sha256", "")) if isinstance(found, dict) else ""


def _receipt(path: Path) -> Path:
    return path.with_suffix(".json")


def _copy(file: Path, target: Path, digest: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    receipt, partial = _receipt(target), target.with_suffix(".partial")
    receipt.unlink(missing_ok=True)
    try:
        with file.open("rb") as source, partial.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        if sha256_of(partial) != digest:
            raise OSError(5, "SHA-256")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    facts = {"sha256": digest, "size": target.stat().st_size}
    write_atomic(receipt, json.dumps(facts, indent=2).encode())
