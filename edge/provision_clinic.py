"""Put a health post's decision tables and overlays from the stick where this device uses them.

All of them are held against the hashes of site.json and checked before the first is written: what is not whole changes
nothing. A file that somebody changed on this device stays, and so does a table that is newer than the stick's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.library.pack import Complaint
from edge.provision_files import read_small, write_kept
from edge.settings import Settings
from edge.site import OVERLAYS, TABLES, SiteError, SiteFacts
from edge.words import Words

SHOWN = "shown"
"""In the receipt: the overlay that the stick chose."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stick's clinic files became on this device."""

    receipt: Mapping[str, Any] = field(default_factory=dict)
    """By kind the hash of every file that a stick put here, this one or one before."""

    put: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By kind the names of those that are here now as the stick has them."""

    left: Sequence[str] = ()
    """Where another file stayed: of somebody here, or newer."""

    def say(self, words: Words) -> Iterator[str]:
        """Name what was put here, and where the device's own stayed."""
        for kind, names in self.put.items():
            if names:
                yield words.say(f"provision.{kind}", names=", ".join(names))
        if self.left:
            yield words.say("provision.clinic-left", names=", ".join(self.left))


@dataclass(frozen=True, slots=True)
class _Came:
    kind: str
    name: str
    content: bytes
    sha256: str
    target: Path


def keep_clinic(place: Path, facts: SiteFacts, settings: Settings, before: Mapping[str, Any]) -> Kept:
    """Keep what came; `before` is what the receipt said of the last stick. May be repeated after a power cut."""
    came = list(_checked(place, facts, settings))
    receipt = {kind: dict(_table(before, kind)) for kind in (TABLES, OVERLAYS)}
    put: dict[str, list[str]] = {TABLES: [], OVERLAYS: []}
    left = []
    for one in came:
        if _stays(one, receipt[one.kind].get(one.name)):
            left.append(one.name)
            continue
        write_kept(one.target, one.content)
        put[one.kind].append(one.name)
        receipt[one.kind][one.name] = one.sha256
    shown = _show([name for name, _ in facts.overlays], settings, before.get(SHOWN))
    return Kept({**receipt, SHOWN: shown}, put, left)


def _checked(place: Path, facts: SiteFacts, settings: Settings) -> Iterator[_Came]:
    """Read every file once; refuse what is not the one the stick was made with, or not whole."""
    from edge.triage import overlay_shelf, shelf

    folders = {TABLES: shelf.own_folder(settings), OVERLAYS: overlay_shelf.own_folder(settings)}
    for kind, listed in ((TABLES, facts.tables), (OVERLAYS, facts.overlays)):
        for name, sha256 in listed:
            path = place / kind / f"{name}.toml"
            content = read_small(path)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise SiteError("site-altered", path=path)
            if complaints := _complaints(kind, name, path, content):
                reason = complaints[0].say(settings.spoken_lang)
                raise SiteError("site-clinic", path=path, count=len(complaints), reason=reason)
            yield _Came(kind, name, content, sha256, folders[kind] / path.name)


def _complaints(kind: str, name: str, path: Path, content: bytes) -> list[Complaint]:
    from edge.triage.check import check
    from edge.triage.overlay import overlay_in
    from edge.triage.table import read_bytes

    if kind == TABLES:
        table, complaints = read_bytes(path, content)
        return complaints or (check(table) if table else [])
    overlay, complaints = overlay_in(path, content)
    if overlay is not None and overlay.shown.id != name:
        raise SiteError("site-broken", name=OVERLAYS, value=overlay.shown.id[:80])
    return complaints


def _stays(one: _Came, from_stick: object) -> bool:
    """Tell whether another file here is somebody's own, or a newer table."""
    if not one.target.exists():
        return False
    here = read_small(one.target)
    sha256 = hashlib.sha256(here).hexdigest()
    if sha256 == one.sha256:
        return False
    return sha256 != from_stick or (one.kind == TABLES and _version(one, here) > _version(one, one.content))


def _version(one: _Came, content: bytes) -> tuple[int, ...]:
    """Return a table's date and number; nothing where it has none."""
    from edge.triage.table import read_bytes

    table, _ = read_bytes(one.target, content)
    return tuple(map(int, re.findall(r"\d+", table.version))) if table else ()


def _show(names: Sequence[str], settings: Settings, chosen_before: object) -> str:
    """Show the first overlay of the stick, unless somebody here chose another one or none; return what the stick chose."""
    from edge.triage import overlay_shelf

    before, here = str(chosen_before or ""), overlay_shelf.chosen(settings)
    if not names or (overlay_shelf.was_chosen(settings) and here not in (before, names[0])):
        return before
    overlay_shelf.choose(settings, names[0])
    return names[0]


def _table(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = facts.get(name)
    return found if isinstance(found, dict) else {}
