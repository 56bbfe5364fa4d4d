"""From a site file and a depot to sticks: read, decide, lay out, add up. Writes only when asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from devkit.compose.layout import needed_bytes
from devkit.depot.store import Depot, Entry
from devkit.site import names
from devkit.site.clinic import hold_overlays
from devkit.site.decide import Decision, Need, decide
from devkit.site.estimate import Cost, cost
from devkit.site.fields import Problem, Section
from devkit.site.file import Site, read_site
from devkit.site.layout import layout
from devkit.site.pace import Pace
from devkit.site.saved import Plan
from devkit.site.stock import read_stock
from devkit.stick import DataStick, Filesystem, ImageStick, PlannedFile, Versions
from edge.release.manifest import Release

GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Planning:
    """What became of a site file."""

    problems: tuple[Problem, ...]
    decision: Decision | None = None
    plan: Plan | None = None
    """None when a required thing is missing or the site file has problems."""

    cost: Cost | None = None
    """Also without a plan: of what is here."""

    filesystem: str = ""

    @property
    def needs(self) -> tuple[Need, ...]:
        """Return what the depot lacks; nothing while the site file is wrong, it may not mean what it says."""
        return tuple(self.decision.needs) if self.decision and not self.problems else ()


def plan_site(
    path: Path, depot: Depot, release: Release, version: str, out: Path, pace: Pace, *, write: bool
) -> Planning:
    """Plan a site; the problems are all there are, in order of line."""
    site, section = read_site(path)
    if site is None:
        return Planning(tuple(section.problems))
    decision = decide(site, read_stock(depot, release), release, section, version)
    made = out.absolute().parent / f"{out.stem}.files"
    if not section.problems:
        hold_overlays(site.clinic, decision.entries, depot, section)
    if section.problems:
        # What the file says is not right yet: adding up bytes of it would only confuse.
        return Planning(_ordered(section), decision)
    if site.sticks.kind == "image":
        return _image_sticks(site, decision, depot, section, pace)
    files = tuple(layout(site, decision, depot, made, write=write))
    filesystem = _filesystem(site, files, section)
    sticks = _data_sticks(site, files, filesystem, (*_versions(decision.entries), *site.clinic.versions))
    spent = cost(sticks[0].size, needed_bytes(sticks[0]), site.sticks.count, pace)
    _check(site, files, spent, section)
    planning = Planning(_ordered(section), decision, None, spent, filesystem)
    if section.problems or any(need.required for need in decision.needs):
        return planning
    return replace(planning, plan=Plan(site.school, site.lang, sticks))


def _ordered(section: Section) -> tuple[Problem, ...]:
    return tuple(sorted(section.problems, key=lambda problem: problem.line))


def _filesystem(site: Site, files: tuple[PlannedFile, ...], section: Section) -> Filesystem:
    """Return FAT32, which everything reads, unless a file is too large for it."""
    large = next((file for file in files if file.size > names.LARGEST_FAT32_FILE), None)
    if large is not None and site.sticks.filesystem == "fat32":
        section.below("sticks", {"filesystem": "fat32"}).complain("filesystem", "fat32-large", path=large.path)
    return "exfat" if site.sticks.filesystem == "exfat" or large is not None else "fat32"


def _check(site: Site, files: tuple[PlannedFile, ...], spent: Cost, section: Section) -> None:
    """Complain about what a stick of this size and kind cannot hold."""
    sticks = section.below("sticks", {"size_gb": site.sticks.size_gb})
    if spent.needed_bytes > site.sticks.size_gb * GB:
        sticks.complain("size_gb", "stick-small", need=f"{spent.needed_bytes / GB:.1f}")
    paths = [file.path for file in files]
    wrong = next((path for path in paths if not names.is_safe(path)), None) or names.clash(paths)
    if wrong is not None:
        sticks.complain("size_gb", "path", path=wrong)


def _data_sticks(
    site: Site, files: tuple[PlannedFile, ...], filesystem: Filesystem, versions: Versions
) -> tuple[DataStick, ...]:
    numbers = range(1, site.sticks.count + 1)
    return tuple(DataStick(_name(site, n), _volume(site, n), filesystem, files, versions) for n in numbers)


def _versions(entries: Sequence[Entry]) -> Versions:
    """Return what says its own version; a model is named by its bytes."""
    return tuple((f"{entry.kind} {entry.platform or entry.id}", entry.version) for entry in entries if entry.version)


def _image_sticks(site: Site, decision: Decision, depot: Depot, section: Section, pace: Pace) -> Planning:
    if not decision.entries:
        return Planning((), decision)
    (entry,) = decision.entries
    file = next(file for file in entry.files if file.path.endswith((".iso", ".img")))
    bmap = next((depot.path(f.sha256) for f in entry.files if f.path.endswith(".bmap")), None)
    spent = cost(file.size, file.size, site.sticks.count, pace)
    _check(site, (), spent, section)
    if section.problems:
        return Planning(_ordered(section), decision, None, spent)
    image = PlannedFile(file.path, file.size, file.sha256, depot.path(file.sha256))
    numbers = range(1, site.sticks.count + 1)
    return Planning(
        (),
        decision,
        Plan(
            site.school, site.lang, tuple(ImageStick(_name(site, n), image, bmap, _versions([entry])) for n in numbers)
        ),
        spent,
    )


def _name(site: Site, number: int) -> str:
    """Name a stick after its school, so that two boxes on one table stay apart."""
    return f"{site.school[:40]} {number:0{len(str(site.sticks.count))}}"


def _volume(site: Site, number: int) -> str:
    digits = str(number).zfill(len(str(site.sticks.count)))
    room = names.LABEL_CHARACTERS - len(digits) - 1
    return f"{(site.sticks.label or names.label(site.school))[:room].strip('-_ ')}-{digits}"


def as_json(planning: Planning, commands: dict[str, str]) -> str:
    """Return everything for programs; the sentences belong to the verb."""
    spent, decision = planning.cost, planning.decision
    facts = {
        "problems": [
            {"line": p.line, "key": p.key, **{n: str(v) for n, v in p.values}} for p in planning.problems
        ],
        "tier": decision.tier.name if decision else None,
        "packs": decision.packs if decision else [],
        "models": decision.models if decision else [],
        "voices": decision.voices if decision else [],
        "tables": decision.tables if decision else [],
        "overlays": decision.overlays if decision else [],
        "missing": [
            {"kind": n.kind, "id": n.name, "required": n.required, "command": commands[n.name]} for n in planning.needs
        ],
        "filesystem": planning.filesystem or None,
        "stick_bytes": spent.stick_bytes if spent else None,
        "needed_bytes": spent.needed_bytes if spent else None,
        "stick_minutes": round(spent.stick_minutes, 1) if spent else None,
        "total_minutes": round(spent.total_minutes, 1) if spent else None,
        "sticks": [stick.name for stick in planning.plan.sticks] if planning.plan else [],
    }  # fmt: skip
    return json.dumps(facts, ensure_ascii=False)
