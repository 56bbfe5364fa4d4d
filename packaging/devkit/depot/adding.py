"""Put what lies on this computer into the depot: models, adapters, voices, packs, app builds, images.

Each thing is checked by the same code that would admit it on a device; only then are its bytes copied.
A colleague's whole depot belongs to `colleague`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from devkit.depot.build import open_build
from devkit.depot.receipts import read_facts
from devkit.depot.store import Depot, Entry, Kind
from devkit.errors import KitError
from devkit.site.names import ascii_name
from edge.errors import ModelError
from edge.files import sha256_of
from edge.library import shelf
from edge.library.folder import pack_files
from edge.onnx.head import read_decoder_head
from edge.release import card
from edge.release.manifest import Release
from edge.speech import voice_folder
from edge.tutor import gguf

Outcome = Literal["added", "replaced", "here"]
Opener = Callable[[Path], AbstractContextManager[Mapping[str, Path]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a path turned out to be; its bytes were not copied yet."""

    kind: Kind
    id: str
    version: str
    platform: str
    files: Opener
    """Gives where each file is, by its path on a stick; what must be unpacked goes to the folder it is given."""

    hashes: Mapping[str, str] = field(default_factory=dict)
    """What a receipt says about them."""


def add(path: Path, depot: Depot, release: Release, *, replace: bool) -> tuple[Entry, Outcome]:
    """Check what lies at `path` and put it into the depot; raise EdgeError when it may not come in."""
    found = recognise(path, release)
    before = depot.find(found.kind, found.id)
    with found.files(depot.incoming) as files:
        if before is not None:
            known = {file.path: file.sha256 for file in before.files}
            if known == {place: sha256_of(file) for place, file in files.items()} and _is_here(before, depot):
                return before, "here"
            if not replace:
                _refuse_other(before, found)
        entry = depot.put(found.kind, found.id, found.version, found.platform, files, found.hashes)
    return entry, "added" if before is None else "replaced"


def _is_here(entry: Entry, depot: Depot) -> bool:
    return all(depot.has(file.sha256, file.size) for file in entry.files)


def _refuse_other(before: Entry, found: Found) -> None:
    """Raise KitError when another thing has this name: only a pack may come in a newer version."""
    if found.kind != "pack":
        raise KitError("depot-differs", name=found.id, kind=found.kind)
    if before.version.isdecimal() and int(before.version) >= int(found.version):
        raise KitError("depot-older", name=found.id, here=before.version, given=found.version)


def recognise(path: Path, release: Release) -> Found:
    """Find out what lies at `path` and check it."""
    if not path.exists():
        raise KitError("depot-nothing", path=path)
    makers: dict[str, Callable[[Path], Found]] = {
        ".gguf": lambda file: _model(file, release),
        ".onnx": lambda file: _model(file, release) if _writes(file) else _voice(file),
        ".iso": _image,
        ".img": _image,
        ".zip": _app,
    }
    if path.is_file() and path.suffix.lower() in makers:
        return makers[path.suffix.lower()](path)
    if path.is_dir() and (path / "pack.toml").is_file():
        pack = shelf.admit(path)
        files = {f"packs/{pack.id}/{file.relative_to(path).as_posix()}": file for file in pack_files(path)}
        return Found("pack", pack.id, str(pack.version), "", _plain(files))
    if path.is_dir():
        return _app(path)
    raise KitError("depot-unknown", path=path)


def _writes(file: Path) -> bool:
    """Tell whether an ONNX file is a language model; one that was cut short is, unless it has the look of a voice."""
    try:
        read_decoder_head(file)
    except ModelError as error:
        if error.key == "model-not-onnx" or file.with_name(f"{file.name}.json").is_file():
            return False
        raise
    return True


def _model(file: Path, release: Release) -> Found:
    name, ending = _identifier(file), file.suffix.lower()
    kind: Kind = "lm" if ending == ".gguf" else "lm-onnx"
    if kind == "lm-onnx":
        name = f"{name.removesuffix('-onnx')}-onnx"  # as the device calls it
    elif gguf.is_adapter(file):
        return Found("adapter", name, "", "", _plain({f"adapters/{name}.gguf": file}))
    else:
        gguf.read_head(file)
    known = next((a for a in release.artifacts if a.id == name or a.file == file.name), None)
    digest = sha256_of(file)
    if known is not None and known.sha256 not in (None, digest):
        raise ModelError("model-other", path=file, name=known.id)
    name = known.id if known is not None else name
    files = {f"models/{name}{ending}": file}
    for report in (file.with_name(f"{file.stem}.card.json"), file.with_name("card.json")):
        if report.is_file() and card.load(report).sha256 == digest:
            files[f"models/{name}.json"] = report  # names the model's hash, so it is its receipt too
            break
    return Found(kind, name, "", "", _plain(files))


def _voice(file: Path) -> Found:
    voice = voice_folder.admit(file, file.parent / "none", dry_run=True)
    place = f"voices/{ascii_name(file.name)}"
    about = file.with_name(f"{file.name}.json")
    return Found("voice", _identifier(file), "", "", _plain({place: voice.path, f"{place}.json": about}))


def _app(path: Path) -> Found:
    build = open_build(path)
    return Found("app", build.id, build.version, build.platform, build.opened, build.hashes)


def _image(file: Path) -> Found:
    receipt = next((p for p in (file.with_suffix(".json"), file.with_name(f"{file.name}.json")) if p.is_file()), None)
    if receipt is None:
        raise KitError("depot-image-receipt", path=file)
    facts = read_facts(receipt)
    if facts.get("sha256") != sha256_of(file):
        raise KitError("depot-wrong", path=file, wanted=str(facts.get("sha256"))[:12], found=sha256_of(file)[:12])
    files = {file.name: file, receipt.name: receipt}
    for bmap in (file.with_suffix(".bmap"), file.with_name(f"{file.name}.bmap")):
        if bmap.is_file():
            files[bmap.name] = bmap
            break
    return Found("image", _identifier(file), str(facts.get("version", "")), "", _plain(files))


def _plain(files: Mapping[str, Path]) -> Opener:
    return lambda _: nullcontext(files)


def _identifier(file: Path) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", ascii_name(file.stem).lower()).strip("-._") or "x"
