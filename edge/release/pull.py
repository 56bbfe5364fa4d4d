"""Take an artifact of the catalogue from its publisher or a mirror, and make it one of this device's.

Knows which files a model or a voice is made of, where they are kept, and the receipt that says
"whole" and is written last. Bringing the bytes belongs to `fetch`.
"""

from __future__ import annotations

import difflib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from edge.errors import ModelError, SpeechError
from edge.files import sha256_of, write_atomic
from edge.release.fetch import Fetched, Patience, Source, Watch, fetch
from edge.release.installed import ENDINGS
from edge.release.manifest import Artifact, Release
from edge.release.part import Wanted, disk_error, part_of
from edge.speech.voice_folder import admit

ADDRESS = re.compile(r"https?://[^\s/]+", re.ASCII)
"""Of a mirror a person names; the catalogue's own addresses are https."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of an artifact, and where it may be had."""

    wanted: Wanted
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class Pull:
    """A decided pull: nothing of it was done yet."""

    artifact: Artifact
    folder: Path
    """Where its files are brought to."""

    pieces: tuple[Piece, ...]

    @property
    def missing_bytes(self) -> int:
        """Return how much must still come."""
        parts = [part_of(self.folder, piece.wanted) for piece in self.pieces]
        here = sum(part.stat().st_size for part in parts if part.is_file())
        return max(0, sum(piece.wanted.size or 0 for piece in self.pieces) - here)


def plan_pull(release: Release, kind: str, artifact_id: str, mirror: str | None, folder: Path) -> Pull:
    """Decide what to fetch for `artifact_id`; raise ModelError when the catalogue does not say enough.

    `kind` is "voice", or "lm" for a language model in whichever form. `folder` is where those are kept on this device.
    """
    artifact = _pullable(release, kind, artifact_id)
    if kind == "voice":
        about = next((a for a in release.artifacts if a.file == f"{artifact.file}.json"), None)
        if about is None or about.sha256 is None:
            raise ModelError("fetch-unknown", name=f"{artifact.id} (.onnx.json)", what="SHA-256")
        parts = (_piece(about, mirror, about.file), _piece(artifact, mirror, artifact.file))
        # A voice must speak before it is one: until then its files lie in a folder of their own.
        return Pull(artifact, folder / "pull", parts)
    return Pull(artifact, folder, (_piece(artifact, mirror, f"{artifact.id}{ENDINGS[artifact.kind]}"),))


def pull_model(pull: Pull, watch: Watch, patience: Patience) -> Fetched:
    """Fetch a language model; its receipt, which says that a download confirmed it, comes last."""
    (piece,) = pull.pieces
    path = pull.folder / piece.wanted.name
    receipt = path.with_suffix(".json")
    done = _already(path, piece.wanted)
    if done is None:
        receipt.unlink(missing_ok=True)
        done = fetch(piece.wanted, piece.sources, pull.folder, watch, patience=patience)
    facts = {"sha256": piece.wanted.sha256, "size": done.size, "source": done.source, "confirmed": True}
    try:
        if not receipt.is_file():
            write_atomic(receipt, json.dumps(facts, indent=2).encode())
    except OSError as error:
        raise disk_error(error, pull.folder) from error
    return done


def pull_voice(pull: Pull, watch: Watch, patience: Patience) -> Fetched:
    """Fetch the two files of a voice, let it speak, and only then put it among the voices."""
    voices, (about, piece) = pull.folder.parent, pull.pieces
    path = voices / piece.wanted.name
    name = path.name.removesuffix(".onnx")
    if (receipt := path.with_name(f"{name}.sha256")).exists():
        if receipt.read_text(encoding="utf-8", errors="replace").strip() != piece.wanted.sha256:
            raise SpeechError("voice-exists", name=name)
        return Fetched(path, path.stat().st_size, path.stat().st_size, str(path))
    brought = [
        _already(pull.folder / p.wanted.name, p.wanted)
        or fetch(p.wanted, p.sources, pull.folder, watch, patience=patience)
        for p in (about, piece)
    ]
    try:
        admit(brought[1].path, voices, dry_run=False, move=True)
    finally:
        # A voice that does not speak here never will: its files would only fill the disk.
        for done in brought:
            done.path.unlink(missing_ok=True)
        with suppress(OSError):
            pull.folder.rmdir()
    return replace(brought[1], path=path)


def _already(path: Path, wanted: Wanted) -> Fetched | None:
    """Return the file when it is here and right; refuse to write over another one of its name."""
    if not path.is_file():
        return None
    size = path.stat().st_size
    if wanted.size not in (None, size) or sha256_of(path) != wanted.sha256:
        raise ModelError("model-exists", name=path.stem)
    return Fetched(path, size, size, str(path))


def _pullable(release: Release, kind: str, artifact_id: str) -> Artifact:
    artifact = release.find(artifact_id)
    kinds = [kind] if kind == "voice" else list(ENDINGS)
    if artifact is None:
        known = [a.id for a in release.artifacts if a.kind in kinds and not a.embedded]
        near = difflib.get_close_matches(artifact_id.lower(), known, 3, 0.4) or known[:3]
        raise ModelError("fetch-no-such", name=artifact_id[:60], near=", ".join(near))
    if artifact.embedded:
        raise ModelError("fetch-embedded", name=artifact.id)
    if artifact.kind not in kinds:
        verb = "voices" if artifact.kind == "voice" else "models"
        raise ModelError("fetch-kind", name=artifact.id, verb=verb)
    return artifact


def _piece(artifact: Artifact, mirror: str | None, name: str) -> Piece:
    if artifact.sha256 is None:
        raise ModelError("fetch-unknown", name=artifact.id, what="SHA-256")
    if artifact.url is None and mirror is None:
        raise ModelError("fetch-unknown", name=artifact.id, what="URL")
    sources: list[Source] = [artifact.url or ""] if mirror is None else _mirrored(mirror, artifact, name)
    return Piece(Wanted(name, artifact.sha256, artifact.size), sources)


def _mirrored(mirror: str, artifact: Artifact, name: str) -> list[Source]:
    """Return where a mirror may keep the file: by the catalogue's name or by the device's."""
    names = list(dict.fromkeys((artifact.file, name)))
    if ADDRESS.match(mirror):
        return [f"{mirror.rstrip('/')}/{quote(name)}" for name in names]
    folder = Path(mirror)
    if "://" in mirror or not folder.is_dir():
        raise ModelError("fetch-mirror", mirror=mirror[:120])
    return [folder / name for name in names]
