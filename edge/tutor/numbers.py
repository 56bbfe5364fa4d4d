"""Whom to call in this country: data, and a technician's own file before it.

A file that cannot be read never costs anybody the answer: what comes with the app holds, and `trouble` says why.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from edge import site
from edge.errors import EdgeError
from edge.settings import Settings

NAME = "emergency.toml"
PURPOSES = ("health", "life", "harm")
_HEALTH = "breathing choking fit bleeding injury snake bite poisoning burn fire shock gas drowning birth infant dehydration urgent"
PURPOSE = {"crisis": "life", "harm": "harm"} | dict.fromkeys(_HEALTH.split(), "health")
"""What the numbers of each rule must help with; the other rules name none."""


@dataclass(frozen=True, slots=True)
class Number:
    """One telephone number, and where it was seen."""

    country: str
    number: str
    name: str
    purposes: tuple[str, ...]
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the place where this device is."""

    country: str = ""
    known: tuple[Number, ...] = ()
    trouble: EdgeError | None = None
    own: Path | None = None
    """The technician's file that they are from; None for those that come with the app."""

    replaced: tuple[Number, ...] = ()
    """Those that come with the app for this country, where that file stands in their place."""

    def told(self, rule: str) -> str | None:
        """Return the numbers for a rule in one line, nothing where none is known, None where none is needed."""
        purpose = PURPOSE.get(rule)
        if purpose is None:
            return None
        return ", ".join(f"{one.name} {one.number}" for one in self.known if purpose in one.purposes)


def numbers_of(settings: Settings) -> Numbers:
    """Return the numbers of this place; never raises."""
    own, trouble = settings.home / NAME, None
    country = _country(settings)
    try:
        content = own.read_bytes()
    except OSError as error:
        content = None
        if not isinstance(error, FileNotFoundError):
            trouble = EdgeError("emergency-numbers", path=own, reason=error.strerror or str(error))
    if content is not None:
        try:
            chosen, numbers = parse(content)
            country = chosen or country
            used = tuple(one for one in numbers if one.country in ("", country))
            return Numbers(country, used, own=own, replaced=shipped(country))
        except ValueError as error:
            trouble = EdgeError("emergency-numbers", path=own, reason=str(error)[:120])
    return Numbers(country, shipped(country), trouble)


def shipped(country: str) -> tuple[Number, ...]:
    """Return the numbers that come with the app for a country."""
    return tuple(one for one in _shipped() if one.country == country)


def shipped_countries() -> tuple[str, ...]:
    """Return the countries whose numbers come with the app."""
    return tuple(sorted({one.country for one in _shipped()}))


@cache
def _shipped() -> tuple[Number, ...]:
    return parse(files("edge.clinic").joinpath(NAME).read_bytes())[1]


def as_toml(country: str, numbers: tuple[Number, ...]) -> str:
    """Write a technician's file with these numbers, to be changed by hand."""
    lines = ["format = 1", f"country = {_quoted(country)}"]
    for one in numbers:
        purposes = ", ".join(map(_quoted, one.purposes))
        lines += ["", "[[number]]", f"number = {_quoted(one.number)}", f"name = {_quoted(one.name)}"]
        lines += [f"for = [{purposes}]", f"source = {_quoted(one.source)}", f"year = {one.year}"]
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def parse(content: bytes) -> tuple[str, tuple[Number, ...]]:
    """Return the country that a file names, if any, and its numbers; raise ValueError for what cannot be used."""
    table = tomllib.loads(content.decode("utf-8"))
    if table.get("format") != 1 or not isinstance(table.get("country", ""), str):
        raise ValueError("format = 1")
    rows = table.get("number", [])
    if not isinstance(rows, list):
        raise ValueError("[[number]]")
    return table.get("country", "").upper(), tuple(_number(row) for row in rows)


def _number(row: Any) -> Number:
    if not isinstance(row, dict):
        raise ValueError("[[number]]")
    texts = {name: row.get(name, "") for name in ("country", "number", "name", "source")}
    purposes, year = row.get("for"), row.get("year", 0)
    digits = str(texts["number"]).strip("*#+").replace(" ", "").replace("-", "")
    for name, good in (
        ("number", digits.isdigit()),
        ("name", bool(texts["name"])),
        ("for", isinstance(purposes, list) and bool(purposes) and all(one in PURPOSES for one in purposes)),
        ("year", type(year) is int),
        ("text", all(isinstance(text, str) and text.isprintable() and len(text) <= 200 for text in texts.values())),
    ):
        if not good:
            raise ValueError(f"{name} = {row.get(name)!r}")
    return Number(
        texts["country"].upper(), texts["number"], texts["name"], tuple(purposes or ()), texts["source"], year
    )


def _country(settings: Settings) -> str:
    """Return the two letters of the place: what the first start kept, or what the stick says."""
    try:
        kept = json.loads((settings.home / "provisioned.json").read_bytes())
        if isinstance(kept, dict) and isinstance(kept.get("country"), str):
            return str(kept["country"]).upper()
    except (OSError, ValueError):
        pass
    for shelf in settings.shelves:
        try:
            return site.parse((shelf / site.NAME).read_bytes()).country.upper()
        except (OSError, EdgeError):
            continue
    return ""
