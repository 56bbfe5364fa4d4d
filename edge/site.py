"""What a stick says about the place it goes to: AMAUTA/site.json, written by the technician's kit.

Pure: bytes in, facts or a SiteError out, and back. What this parser does not know, it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from edge.errors import EdgeError
from edge.settings import PLACES
from edge.words import LANGUAGES

NAME = "site.json"
FORMAT = 1
LARGEST_BYTES = 1 << 20
TABLES, OVERLAYS = "tables", "overlays"
"""Folders beside site.json: a health post's own decision tables, and their words in other languages."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
TOML_NAME, SHA256 = re.compile(r"[a-z][a-z0-9-]{0,79}"), re.compile(r"[0-9a-f]{64}")


class SiteError(EdgeError):
    """What a stick says about its place cannot be used."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """One school or clinic, as its devices need to know it."""

    school: str
    country: str
    """Two letters, or nothing."""

    lang: str
    """Of the screens."""

    languages: tuple[str, ...]
    grades: tuple[int, ...]
    tier: str
    packs: tuple[str, ...]
    voices: tuple[str, ...]
    models: tuple[str, ...]
    roster: str | None = None
    """The class list beside site.json."""

    enrolment: str | None = None
    """What the hub gave for this school, beside site.json; erased once a device has it."""

    place: str = PLACES[0]
    """What the devices serve. Not written for a school, nor is a file of numbers where there is none: older releases,
    which know neither, read such a site.json."""

    numbers: str | None = None
    """The place's own emergency numbers, beside site.json."""

    tables: tuple[tuple[str, str], ...] = ()
    """The names of its own decision tables in `tables/`, each with the SHA-256 of its file; so with overlays. Not written
    where there are none."""

    overlays: tuple[tuple[str, str], ...] = ()


def as_bytes(facts: SiteFacts) -> bytes:
    """Return the content of site.json."""
    said = {name: value for name, value in asdict(facts).items() if _LATER.get(name, ...) != value}
    return json.dumps({"format": FORMAT, **said}, indent=1, sort_keys=True, ensure_ascii=False).encode()


def parse(content: bytes) -> SiteFacts:
    """Read site.json; raise SiteError when anything in it is not as it should be."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SiteError("site-broken", name="JSON", value=str(error)[:80]) from error
    names = {field.name for field in fields(SiteFacts)}
    if isinstance(found, dict):
        found = _LATER | found
    if not isinstance(found, dict) or set(found) != names | {"format"} or found["format"] != FORMAT:
        raise SiteError("site-broken", name="format", value=repr(found)[:80])
    for name, rule in _RULES.items():
        if not rule(found[name]):
            raise SiteError("site-broken", name=name, value=repr(found[name])[:80])
    lists = {name: tuple(found[name]) for name in ("languages", "grades", "packs", "voices", "models")}
    hashed = {name: tuple((one, sha256) for one, sha256 in found[name]) for name in (TABLES, OVERLAYS)}
    return SiteFacts(**{name: found[name] for name in names} | lists | hashed)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= 200


def _is_list(kind: type) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and all(type(v) is kind and (kind is int or _is_line(v)) for v in value)
    )


def _is_file(value: Any) -> bool:
    return value is None or (isinstance(value, str) and PLAIN_NAME.fullmatch(value) is not None)


def _is_hashed(value: Any) -> bool:
    """Tell whether these are names of TOML files, none twice, each with a hash."""
    rows: list[Any] = list(value) if isinstance(value, list | tuple) else [None]
    if not all(isinstance(row, list) and len(row) == 2 and all(isinstance(part, str) for part in row) for row in rows):
        return False
    sound = all(TOML_NAME.fullmatch(name) and SHA256.fullmatch(sha256) for name, sha256 in rows)
    return sound and len({name for name, _ in rows}) == len(rows)


_LATER: dict[str, Any] = {"place": PLACES[0], "numbers": None, TABLES: (), OVERLAYS: ()}
"""What the first devices did not know, and what it is where nothing is said."""

_RULES: dict[str, Callable[[Any], bool]] = {
    "school": lambda value: _is_line(value) and bool(value.strip()),
    "country": _is_line,
    "lang": lambda value: value in LANGUAGES,
    "languages": _is_list(str),
    "grades": _is_list(int),
    "tier": _is_line,
    "packs": _is_list(str),
    "voices": _is_list(str),
    "models": _is_list(str),
    "roster": _is_file,
    "enrolment": _is_file,
    "place": lambda value: value in PLACES,
    "numbers": _is_file,
    TABLES: _is_hashed,
    OVERLAYS: _is_hashed,
}
