"""What is known about the computers of a site: counted, dictated as a code, or examined by doctor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from devkit.site.fields import Section
from edge.diagnostic_code import decode
from edge.errors import EdgeError

SYSTEMS = {"linux": "linux", "windows": "windows"}
FIELDS = ("name", "count", "code", "doctor", "ram_mb", "system")
LARGEST_REPORT = 1 << 20
MOST_DEVICES = 100_000
ONNX_TIER, ARM_TIER = 2, 5
"""Processors below it run no model and no Piper voice; see edge.processor."""


@dataclass(frozen=True, slots=True)
class Computers:
    """Some computers that are alike."""

    name: str
    count: int
    ram_mb: int | None = None
    """None when nobody knows."""

    system: str = ""
    """`linux`, `windows`, or empty when nobody knows."""

    cpu_tier: int | None = None

    @property
    def platform(self) -> str:
        """Return how app builds for it are called; empty when nobody knows."""
        machine = "aarch64" if self.cpu_tier == ARM_TIER else "x86_64"
        return f"{self.system}-{machine}" if self.system else ""

    @property
    def runs_models(self) -> bool:
        """Tell whether its processor can run a model at all."""
        return self.cpu_tier is None or self.cpu_tier >= ONNX_TIER


def read_computers(site: Section) -> tuple[Computers, ...]:
    """Read `devices`: a count, or a list of tables."""
    found = site.table.get("devices", 1)
    if type(found) is int:
        return (Computers("", site.number("devices", 1, MOST_DEVICES, 1)),)
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        site.complain("devices", "devices")
        return ()
    return tuple(_computers(site.below("devices", row, number)) for number, row in enumerate(found))


def weakest(computers: tuple[Computers, ...], assumed_ram_mb: int) -> Computers:
    """Return the one with the least memory; what nobody knows counts as `assumed_ram_mb`."""
    return min(computers, key=lambda c: (c.runs_models, assumed_ram_mb if c.ram_mb is None else c.ram_mb))


def _computers(row: Section) -> Computers:
    row.refuse_unknown(FIELDS)
    name, count = row.text("name"), row.number("count", 1, MOST_DEVICES, 1)
    system = SYSTEMS.get(row.choice("system", (*SYSTEMS, ""), ""), "")
    ram_mb = row.number("ram_mb", 64, 1 << 20, 64) if "ram_mb" in row.table else None
    cpu_tier = None
    if sum(field in row.table for field in ("code", "doctor", "ram_mb")) > 1:
        row.complain("code" if "code" in row.table else "doctor", "one-of", names="code, doctor, ram_mb")
    code = row.text("code")
    if "doctor" in row.table:
        code, ram_mb = _report(row)
    if code:
        try:
            told = decode(code)
        except EdgeError as error:
            row.complain("code" if "code" in row.table else "doctor", "said", error)
        else:
            ram_mb, cpu_tier = ram_mb or told.ram_mb, told.cpu_tier
            system = system or SYSTEMS.get(told.system.lower(), "")
    return Computers(name, count, ram_mb, system, cpu_tier)


def _report(row: Section) -> tuple[str, int | None]:
    """Return code and memory from what `amauta doctor --json` printed."""
    path = row.place("doctor")
    if path is None:
        return "", None
    try:
        found: Any = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_REPORT else None
    except (OSError, ValueError, RecursionError):
        found = None
    profile = found.get("profile") if isinstance(found, dict) else None
    ram_mb = profile.get("ram_mb") if isinstance(profile, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("code"), str) or type(ram_mb) is not int or ram_mb < 0:
        row.complain("doctor", "doctor", path=path)
        return "", None
    return found["code"], ram_mb
