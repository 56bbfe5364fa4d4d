"""Lay out a data stick: the app, its data, the school's own files, and what the kit writes for it.

What is made here lies beside the plan under its hash; everything else stays where it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devkit.depot.store import Depot, Entry
from devkit.errors import KitError
from devkit.site.decide import Decision
from devkit.site.file import Site
from devkit.stick import PlannedFile
from edge import site as on_stick
from edge.files import sha256_of, write_atomic
from edge.provision import ENROLMENT
from edge.release.installed import ENDINGS
from edge.site import SiteFacts
from edge.stick import FOLDER
from edge.tutor.numbers import NAME as NUMBERS
from edge.words import words_for

ROSTER, README = "roster.csv", "LEEME.txt"
LAUNCHERS = Path(__file__).parent.parent.parent / "launch"
LAUNCHER_NAMES = {"windows": "Amauta-Windows.bat", "linux": "Amauta-Linux.sh"}


@dataclass(frozen=True, slots=True)
class Made:
    """A file that the plan makes itself."""

    path: str
    content: bytes


def layout(site: Site, decision: Decision, depot: Depot, made_folder: Path, *, write: bool) -> list[PlannedFile]:
    """Return every file of the stick, in order of path; those made here are written only when asked."""
    files = [
        PlannedFile(f"{FOLDER}/{file.path}", file.size, file.sha256, depot.path(file.sha256))
        for entry in decision.entries
        for file in entry.files
    ]
    files += _given(site)
    for made in _made(site, decision):
        sha256 = hashlib.sha256(made.content).hexdigest()
        source = made_folder / sha256
        if write and not source.is_file():
            _write(source, made.content)
        files.append(PlannedFile(made.path, len(made.content), sha256, source))
    return sorted(files, key=lambda file: file.path)


def _given(site: Site) -> Iterator[PlannedFile]:
    """The school's own files stay where they are: a copy of secrets beside the plan would be one too many."""
    for name, source in ((ROSTER, site.roster), (ENROLMENT, site.enrolment), (NUMBERS, site.numbers)):
        if source is not None:
            path = source.absolute()
            yield PlannedFile(f"{FOLDER}/{name}", path.stat().st_size, sha256_of(path), path)
    for folder, name, sha256, source in site.clinic.files:
        path = source.absolute()
        # The hash of what was checked: a file that changed since is refused when the stick is composed.
        yield PlannedFile(f"{FOLDER}/{folder}/{name}.toml", path.stat().st_size, sha256, path)


def _made(site: Site, decision: Decision) -> Iterator[Made]:
    yield Made(f"{FOLDER}/{on_stick.NAME}", on_stick.as_bytes(_facts(site, decision)))
    systems = [system for system in LAUNCHER_NAMES if any(e.platform.startswith(system) for e in decision.entries)]
    yield Made(f"{FOLDER}/{README}", _readme(site, systems))
    for entry in decision.entries:
        yield from _receipts(entry)
    for system in systems:
        yield Made(LAUNCHER_NAMES[system], (LAUNCHERS / LAUNCHER_NAMES[system]).read_bytes())


def _facts(site: Site, decision: Decision) -> SiteFacts:
    return SiteFacts(
        school=site.school,
        country=site.country,
        lang=site.lang,
        languages=site.languages,
        grades=site.grades,
        tier=decision.tier.name,
        packs=tuple(decision.packs),
        voices=tuple(decision.voices),
        models=tuple(decision.models),
        roster=None if site.roster is None else ROSTER,
        enrolment=None if site.enrolment is None else ENROLMENT,
        place=site.place,
        numbers=None if site.numbers is None else NUMBERS,
        tables=site.clinic.hashes(on_stick.TABLES),
        overlays=site.clinic.hashes(on_stick.OVERLAYS),
    )


def _readme(site: Site, systems: list[str]) -> bytes:
    """Return the page for whoever opens the stick, as Notepad shows it right."""
    words = words_for("devkit", site.lang)
    opening = "\n".join(words.say(f"plan.open.{system}") for system in systems)
    text = words.say("plan.readme", school=site.school, open=opening)
    return text.replace("\n", "\r\n").encode("utf-8-sig")


def _receipts(entry: Entry) -> Iterator[Made]:
    """Say beside a model or a voice what its bytes must be, where nothing does yet: the device's verbs look for it."""
    there = {file.path for file in entry.files}
    for file in entry.files:
        ending = ENDINGS.get(entry.kind, "")
        if ending and file.path.endswith(ending):
            receipt = f"{file.path.removesuffix(ending)}.json"
            content = json.dumps({"sha256": file.sha256, "size": file.size, "confirmed": True}, indent=2).encode()
        elif entry.kind == "voice" and file.path.endswith(".onnx"):
            receipt, content = f"{file.path.removesuffix('.onnx')}.sha256", f"{file.sha256}\n".encode()
        else:
            continue
        if receipt not in there:
            yield Made(f"{FOLDER}/{receipt}", content)


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise KitError("plan-disk", path=path, reason=error.strerror or str(error)) from error
