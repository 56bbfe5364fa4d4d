"""The site file: what a school is to get, in plain TOML, read with all its problems at once.

Reads the files it names (roster, enrolment, doctor's reports); decides nothing about models or sticks.
The format is described in docs/site-file.md.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from devkit.site.clinic import ClinicFiles, read_clinic
from devkit.site.devices import Computers, read_computers
from devkit.site.fields import Problem, Section, lines_of
from devkit.site.names import is_label
from devkit.site.tiers import TIERS
from edge.errors import EdgeError
from edge.learning.roster import decode, parse_roster
from edge.settings import PLACES
from edge.speech.espeak import VOICES
from edge.sync import enrolment
from edge.tutor import numbers
from edge.words import LANGUAGES, words_for

LARGEST_SITE, LARGEST_ROSTER = 1 << 20, 2_000_000
FIELDS = (
    "school", "country", "languages", "grades", "tier", "devices", "packs", "voices", "model", "roster", "enrolment",
    "sticks", "place", "numbers", "clinic",
)  # fmt: skip
STICK_FIELDS = ("count", "kind", "size_gb", "filesystem", "label", "release")
MOST_STICKS, MOST_GRADE = 999, 12
COUNTRY = re.compile(r"[A-Z]{2}")
TOML_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class Sticks:
    """The sticks a site gets; they are all alike."""

    count: int = 1
    kind: str = "data"
    size_gb: int = 16
    filesystem: str = "auto"
    label: str = ""
    """Of the volume; empty to make one from the school's name."""

    release: bool = True
    """Whether devices may update themselves from the stick, when the depot has a signed release."""


@dataclass(frozen=True, slots=True)
class Site:
    """One school or clinic."""

    path: Path
    school: str
    country: str
    languages: tuple[str, ...]
    """The first one is that of the screens and papers."""

    grades: tuple[int, ...]
    tier: str
    computers: tuple[Computers, ...]
    packs: tuple[str, ...] | None
    """None when the kit shall choose; so with voices."""

    voices: tuple[str, ...] | None
    model: str
    """An id, `auto` or `none`."""

    roster: Path | None
    enrolment: Path | None
    sticks: Sticks
    place: str = PLACES[0]
    """A school or a clinic."""

    numbers: Path | None = None
    """Its own emergency numbers."""

    clinic: ClinicFiles = field(default_factory=ClinicFiles)
    """A health post's own decision tables, and words in other languages."""

    @property
    def lang(self) -> str:
        """Return the first of its languages that our screens speak."""
        return next((lang for lang in self.languages if lang in LANGUAGES), LANGUAGES[0])


def read_site(path: Path) -> tuple[Site | None, Section]:
    """Read a site file; None when it is no TOML at all. The section holds every problem."""
    section = Section(path, {}, {})
    try:
        if path.stat().st_size > LARGEST_SITE:
            raise OSError(27, f"> {LARGEST_SITE} bytes")
        source = path.read_bytes().decode("utf-8-sig")
        table = tomllib.loads(source)
    except OSError as error:
        section.problems.append(_problem(path, 1, "unreadable", error.strerror or str(error)))
        return None, section
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        section.problems.append(_problem(path, line, "not-utf8", hex(error.object[error.start])))
        return None, section
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        found = TOML_LINE.search(str(error))
        section.problems.append(_problem(path, int(found[1]) if found else 1, "not-toml", str(error)[:100]))
        return None, section
    section = Section(path, table, lines_of(source))
    return _site(section), section


def _problem(path: Path, line: int, key: str, value: str) -> Problem:
    return Problem(path, line, key, (("name", ""), ("value", value)))


def _site(top: Section) -> Site:
    top.refuse_unknown(FIELDS)
    country = top.text("country")
    if country and not COUNTRY.fullmatch(country):
        top.complain("country", "country")
    place = top.choice("place", PLACES, PLACES[0])
    sticks = _sticks(top)
    if place == "clinic" and not country:
        top.complain("place", "clinic-country")
    if place == "clinic" and sticks.kind == "image":
        top.complain("place", "clinic-image")
    return Site(
        path=top.path,
        school=top.text("school", None),
        country=country,
        languages=_languages(top),
        grades=_grades(top),
        tier=top.choice("tier", (*TIERS, "auto"), "auto"),
        computers=read_computers(top),
        packs=top.texts_or_auto("packs"),
        voices=top.texts_or_auto("voices"),
        model=top.text("model", "auto") or "auto",
        roster=_roster(top),
        enrolment=_enrolment(top),
        sticks=sticks,
        place=place,
        numbers=_numbers(top),
        clinic=read_clinic(top, place),
    )


def _languages(top: Section) -> tuple[str, ...]:
    found = top.texts("languages", tuple(VOICES))
    if "languages" not in top.table:
        top.complain("languages", "missing")
    elif found and not set(found) & set(LANGUAGES):
        top.complain("languages", "language-screens", choices=", ".join(LANGUAGES))
    return found


def _grades(top: Section) -> tuple[int, ...]:
    value = top.table.get("grades", [])
    if isinstance(value, list) and all(type(v) is int and 0 <= v <= MOST_GRADE for v in value):
        return tuple(sorted(set(value)))
    top.complain("grades", "grades", most=MOST_GRADE)
    return ()


def _roster(top: Section) -> Path | None:
    """Return the class list, when every line of it can be imported."""
    path = top.place("roster")
    if path is None:
        return None
    try:
        content = path.read_bytes()[:LARGEST_ROSTER]
        parse_roster(decode(content), path, LANGUAGES[0], words_for("edge", LANGUAGES[0]))
    except OSError as error:
        top.complain("roster", "file-unreadable", path=path, why=error.strerror or str(error))
    except EdgeError as error:
        top.complain("roster", "said", error)
    return path


def _enrolment(top: Section) -> Path | None:
    """Return what the hub gave for this school, when devices will understand it."""
    path = top.place("enrolment")
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            enrolment.parse(file.read(enrolment.LARGEST_BYTES + 1))
    except OSError as error:
        top.complain("enrolment", "file-unreadable", path=path, why=error.strerror or str(error))
    except EdgeError as error:
        top.complain("enrolment", "said", error)
    return path


def _numbers(top: Section) -> Path | None:
    """Return the place's own emergency numbers, when devices will understand them."""
    path = top.place("numbers")
    if path is None:
        return None
    try:
        numbers.parse(path.read_bytes()[:LARGEST_ROSTER])
    except OSError as error:
        top.complain("numbers", "file-unreadable", path=path, why=error.strerror or str(error))
    except ValueError as error:
        cause = EdgeError("emergency-numbers", path=path, reason=str(error)[:120])
        top.complain("numbers", "said", cause)
    return path


def _sticks(top: Section) -> Sticks:
    found = top.table.get("sticks", {})
    if not isinstance(found, dict):
        top.complain("sticks", "table")
        return Sticks()
    row = top.below("sticks", found)
    row.refuse_unknown(STICK_FIELDS)
    label = row.text("label")
    if label and not is_label(label):
        row.complain("label", "label")
    if type(row.table.get("release", True)) is not bool:
        row.complain("release", "yes-no")
    return Sticks(
        count=row.number("count", 1, MOST_STICKS, 1),
        kind=row.choice("kind", ("data", "image"), "data"),
        size_gb=row.number("size_gb", 1, 2048, 16),
        filesystem=row.choice("filesystem", ("auto", "fat32", "exfat"), "auto"),
        label=label,
        release=row.table.get("release") is not False,
    )
