"""What `minimo`, `basico` and `completo` mean; the figures lie in tiers.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

TIERS = ("minimo", "basico", "completo")


@dataclass(frozen=True, slots=True)
class Tier:
    """How much one kind of computer may carry."""

    name: str
    least_ram_mb: int
    model_mb: int
    """The largest model file; 0 for none beyond those inside the app."""

    small_voices: bool


@cache
def tiers() -> tuple[Tier, ...]:
    """Return the tiers, the smallest first."""
    found = _read()
    return tuple(Tier(name, **found[name]) for name in TIERS)


def assumed_ram_mb() -> int:
    """Return the memory of computers of which nothing is known."""
    return int(_read()["assumed_ram_mb"])


def tier_for(ram_mb: int) -> Tier:
    """Return the highest tier that a computer of this memory carries."""
    return max((t for t in tiers() if t.least_ram_mb <= ram_mb), key=lambda t: t.least_ram_mb, default=tiers()[0])


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files("devkit.site").joinpath("tiers.toml").read_text(encoding="utf-8"))
