"""What the depot has for sites: packs with their language, apps by platform, the newest image and release."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devkit.depot.store import Depot, Entry
from devkit.site.choose import Model, from_catalogue, least_ram_mb
from edge.errors import ModelError
from edge.library.folder import CLINIC, EMBEDDED, pack_folders, read_head
from edge.release import card
from edge.release.installed import ENDINGS, gguf_of
from edge.release.manifest import Release


@dataclass(frozen=True, slots=True)
class StockPack:
    """A pack, inside the app or in the depot."""

    id: str
    lang: str
    version: int
    entry: Entry | None
    """None for one that comes with the app."""

    clinic: bool = False
    """Whether it comes with the app, but for clinics alone."""

    strict: bool = False
    """Whether it is a guideline, quoted word for word."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything that could go on a stick."""

    entries: tuple[Entry, ...]
    packs: tuple[StockPack, ...]
    models: tuple[Model, ...]
    forms: Mapping[str, Entry] = field(default_factory=dict)
    """ONNX models of the depot, by the hash of the GGUF file of which each is another form."""

    def form_of(self, name: str) -> Entry | None:
        """Return the ONNX form of a GGUF model of the depot."""
        entry = self.find("lm", name)
        return next((self.forms[f.sha256] for f in entry.files if f.sha256 in self.forms), None) if entry else None

    def find(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that kind and name."""
        return next((e for e in self.entries if (e.kind, e.id) == (kind, name)), None)

    def newest(self, kind: str, platform: str = "") -> Entry | None:
        """Return the entry with the highest version."""
        names = (platform, platform.partition("-")[0])
        fitting = [e for e in self.entries if e.kind == kind and (not platform or e.platform in names)]
        return max(fitting, key=lambda e: (_version(e.version), e.id), default=None)


def read_stock(depot: Depot, release: Release) -> Stock:
    """Look through the depot and the catalogue; raise KitError when an entry cannot be read."""
    entries = tuple(depot.entries())
    forms = {
        gguf_of(depot.path(file.sha256)): entry
        for entry in entries
        for file in entry.files
        if entry.kind == "lm-onnx" and file.path.endswith(ENDINGS["lm-onnx"])
    }
    return Stock(entries, tuple(_packs(depot, entries)), tuple(_models(depot, entries, release)), forms)


def _packs(depot: Depot, entries: Iterable[Entry]) -> list[StockPack]:
    """Return one pack of each name, the newer one of app and depot."""
    shipped = [(read_head(folder, []), folder.parent == CLINIC) for folder in pack_folders(EMBEDDED, CLINIC)]
    found = {one.id: StockPack(one.id, one.lang, one.version, None, clinic, one.strict) for one, clinic in shipped}
    for entry in entries:
        if entry.kind == "pack" and entry.version.isdecimal():
            head = _head(depot, entry)
            strict = head.get("quote") == "strict"
            pack = StockPack(entry.id, str(head.get("lang", "")), int(entry.version), entry, strict=strict)
            if entry.id not in found or pack.version > found[entry.id].version:
                found[entry.id] = pack
    return [found[name] for name in sorted(found)]


def _head(depot: Depot, entry: Entry) -> dict[str, Any]:
    head = next((file for file in entry.files if file.path.endswith("/pack.toml")), None)
    try:
        return tomllib.loads(depot.path(head.sha256).read_text(encoding="utf-8-sig")) if head else {}
    except (OSError, ValueError):
        return {}


def _models(depot: Depot, entries: Iterable[Entry], release: Release) -> list[Model]:
    """Return the models of the catalogue and those that only the depot has."""
    own = {entry.id: entry for entry in entries if entry.kind in ENDINGS}
    known = from_catalogue(release, own)
    embedded = {artifact.id for artifact in release.artifacts if artifact.embedded}
    names = {model.id for model in known} | embedded
    return known + [_own(depot, entry) for name, entry in own.items() if name not in names]


def _own(depot: Depot, entry: Entry) -> Model:
    file = next(file for file in entry.files if file.path.endswith(ENDINGS[entry.kind]))
    report = next((f for f in entry.files if f.path.endswith(".json")), None)
    carded = False
    if report is not None:
        try:
            found = card.load(depot.path(report.sha256))
            carded = found.sha256 == file.sha256 and any(gate.open for gate in found.capabilities.values())
        except ModelError:
            carded = False
    return Model(entry.id, file.size, least_ram_mb(file.size, None), (), carded, True, entry.kind)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:6])
