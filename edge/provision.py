"""Make a device belong to its school at its first start, from what the stick beside the app says.

Language, place, class list, emergency numbers, a clinic's tables, identity, enrolment at the hub; each step may be
repeated, so a power cut between two of them costs nothing, and the receipt is written last. The secrets for enrolling are
overwritten and removed from the stick once this device has them.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import SystemRandom
from typing import Any

from edge import site
from edge.errors import EdgeError
from edge.files import sync_folder
from edge.identity import ensure_identity
from edge.learning.learner import new_id
from edge.provision_clinic import Kept, keep_clinic
from edge.provision_files import read_small, write_kept
from edge.settings import Settings, save
from edge.site import SiteError, SiteFacts
from edge.sync import enrolment
from edge.sync.errors import SyncError
from edge.words import words_for

RECEIPT = "provisioned.json"
ENROLMENT = "enrolment.json"


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a first start did."""

    settings: Settings
    school: str = ""
    """Empty when there was nothing to do."""

    device: str = ""
    learners_added: int = 0
    enrolled: bool = False
    """Whether this device has what it needs to enrol at the hub."""

    clinic: Kept = field(default_factory=Kept)
    """The decision tables and overlays that came along."""

    trouble: EdgeError | None = None
    """What could not be done; the app opens all the same, and the next start tries again."""


def provision(settings: Settings) -> Provisioned:
    """Do what the stick asks for and was not done yet; never raises for a stick that is damaged."""
    place = next((shelf for shelf in settings.shelves if (shelf / site.NAME).is_file()), None)
    if place is None:
        return Provisioned(settings)
    try:
        content = read_small(place / site.NAME)
        if _is_done(settings.home, content, place):
            return Provisioned(settings)
        return _provision(settings, place, site.parse(content), content)
    except EdgeError as error:
        return Provisioned(settings, trouble=error)


def _provision(settings: Settings, place: Path, facts: SiteFacts, content: bytes) -> Provisioned:
    chosen = replace(settings, lang=settings.lang or facts.lang)
    if facts.place == "clinic":  # for a school nothing is said: somebody may have chosen otherwise here
        chosen = replace(chosen, place=facts.place)
    if chosen != settings:
        settings = chosen
        save(settings)
    device = ensure_identity(settings.home).device
    added = _import_roster(place / facts.roster, settings) if facts.roster else 0
    enrolled = _enrol(place / facts.enrolment, settings.home) if facts.enrolment else False
    numbers = _keep_numbers(place / facts.numbers, settings.home) if facts.numbers else ""
    before = _receipt(settings.home).get("clinic")
    earlier = before if isinstance(before, dict) else {}
    clinic = keep_clinic(place, facts, settings, earlier) if facts.tables or facts.overlays else Kept(earlier)
    receipt = {
        "school": facts.school,
        "country": facts.country,
        "site": hashlib.sha256(content).hexdigest(),
        "device": device,
        **({"numbers": numbers} if numbers else {}),
        **({"clinic": clinic.receipt} if clinic.receipt else {}),
    }
    write_kept(settings.home / RECEIPT, json.dumps(receipt, indent=1, ensure_ascii=False).encode())
    return Provisioned(settings, facts.school, device, added, enrolled, clinic)


def _is_done(home: Path, content: bytes, place: Path) -> bool:
    """Tell whether this device was provisioned by this very site.json, and no secret is left to erase."""
    return _receipt(home).get("site") == hashlib.sha256(content).hexdigest() and not (place / ENROLMENT).exists()


def _receipt(home: Path) -> dict[str, Any]:
    """Return what an earlier start wrote down, or nothing."""
    try:
        found = json.loads((home / RECEIPT).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_numbers(path: Path, home: Path) -> str:
    """Keep the place's own numbers, unless somebody wrote others on this device; return the hash of what came along."""
    from edge.tutor import numbers

    content, kept = read_small(path), home / numbers.NAME
    try:
        numbers.parse(content)
    except ValueError as error:
        raise SiteError("emergency-numbers", path=path, reason=str(error)[:120]) from error
    came = hashlib.sha256(content).hexdigest()
    if not kept.exists() or hashlib.sha256(read_small(kept)).hexdigest() == _receipt(home).get("numbers"):
        write_kept(kept, content)
    return came


def _import_roster(path: Path, settings: Settings) -> int:
    """Add everyone on the list who is not here yet; return how many."""
    from edge.learning.roster import decode, parse_roster
    from edge.learning.store import Store

    if not path.is_file():
        return 0
    rows = parse_roster(decode(read_small(path)), path, settings.spoken_lang, words_for("edge", settings.spoken_lang))
    random = SystemRandom()
    with Store.open(settings.store_path) as store:
        known = {learner.name.casefold() for learner in store.learners()}
        new = [row for row in rows if row.name.casefold() not in known]
        for row in new:
            store.add_learner(row.name, row.lang, new_id(random))
    return len(new)


def _enrol(path: Path, home: Path) -> bool:
    """Keep what the hub gave, readable by the owner only, then erase it from the stick."""
    kept = home / ENROLMENT
    if not path.is_file():
        return kept.is_file()
    content = read_small(path)
    try:
        enrolment.parse(content)
        write_kept(kept, content)
    except SyncError:
        # A power cut may have stopped the erasing halfway: then this device has it, and the rest must go.
        if not kept.is_file():
            raise
    try:
        erase(path)
    except OSError as error:
        raise SiteError("site-not-erased", path=path, reason=error.strerror or str(error)) from error
    return True


def erase(path: Path) -> None:
    """Overwrite a small file where it lies, and remove it; raise OSError when the stick does not let us."""
    size = path.stat().st_size
    with path.open("r+b", buffering=0) as file:
        for pattern in (os.urandom(size), bytes(size)):
            file.seek(0)
            file.write(pattern)
            os.fsync(file.fileno())
    path.unlink()
    with suppress(OSError):
        sync_folder(path.parent)
