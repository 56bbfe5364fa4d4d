"""What is printed about a stick, taken from its receipt and from what `amauta doctor --json` said.

Pure. What nobody measured is empty, and becomes a line to fill in by hand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from devkit.disks.choice import gigabytes
from devkit.write.receipt import Receipt

SHORT_HASH = 16


@dataclass(frozen=True, slots=True)
class StickFacts:
    """One stick, ready to be printed."""

    site: str
    stick: str
    kind: str
    model: str
    serial: str
    size: str
    volume: str
    content: str
    """The first characters of the hash of everything on it."""

    source: str
    verified: str
    """How much was read back."""

    ended: str
    """Day and minute, UTC."""

    versions: str
    contents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """The computer it was tried on; empty where nobody said."""

    system: str = ""
    processor: str = ""
    memory: str = ""
    code: str = ""
    speech: str = ""
    rate: str = ""
    """Tokens a second."""


def stick_facts(receipt: Receipt) -> StickFacts:
    """Return what a receipt says, as text."""
    facts = receipt.facts
    disk, source = _table(facts, "disk"), _table(facts, "source")
    contents = {name: names for name, names in _table(facts, "contents").items() if isinstance(names, list)}
    volume = " ".join(filter(None, (_text(facts, "volume"), _text(facts, "filesystem").upper())))
    return StickFacts(
        site=_text(facts, "site"),
        stick=receipt.stick,
        kind=_text(facts, "kind"),
        model=_text(disk, "model"),
        serial=receipt.serial,
        size=gigabytes(int(disk["size"])),
        volume=volume,
        content=_text(facts, "blocks")[:SHORT_HASH],
        source=" ".join(filter(None, (_text(source, "name"), _text(source, "sha256")[:SHORT_HASH]))),
        verified=gigabytes(int(facts.get("bytes_verified") or 0)),
        ended=_text(facts, "ended_at")[:16].replace("T", " "),
        versions=", ".join(f"{name} {version}" for name, version in _table(facts, "versions").items()),
        contents=tuple((name, ", ".join(map(str, names))) for name, names in contents.items()),
    )


def device_facts(doctor: Any) -> DeviceFacts:
    """Return what `amauta doctor --json` said; what is not in it stays empty."""
    facts = doctor if isinstance(doctor, dict) else {}
    profile, rate = _table(facts, "profile"), facts.get("tokens_per_s")
    memory = profile.get("ram_mb")
    checks = facts.get("checks") if isinstance(facts.get("checks"), list) else []
    speech = next((c for c in checks or () if isinstance(c, dict) and c.get("check") == "speech"), {})
    return DeviceFacts(
        system=_text(profile, "system"),
        processor=_text(_table(profile, "processor"), "name"),
        memory=f"{memory / 1024:.1f} GB" if isinstance(memory, int) else "",
        code=_text(facts, "code"),
        speech=_text(speech, "say"),
        rate=f"{rate:.1f}" if isinstance(rate, int | float) else "",
    )


def qr_text(facts: StickFacts) -> str:
    """Return what the QR code holds: which stick, which disk, which content, since when."""
    parts = (facts.stick, facts.serial, facts.content, facts.ended[:10])
    return ":".join(("AMAUTA1", *(quote(part, safe=" ") for part in parts)))


def printable(text: str) -> str:
    """Return `text` with the letters that PDF's own fonts have; others lose their marks, or become `?`."""
    plain = "".join(_plain(letter) for letter in unicodedata.normalize("NFC", text))
    return plain.encode("latin-1", errors="replace").decode("latin-1")


def _plain(letter: str) -> str:
    if ord(letter) < 256:
        return letter
    bare = unicodedata.normalize("NFKD", letter).encode("latin-1", errors="ignore").decode("latin-1")
    return (
        {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}.get(
            letter
        )
        or bare
        or "?"
    )


def _table(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = facts.get(name)
    return found if isinstance(found, dict) else {}


def _text(facts: Mapping[str, Any], name: str) -> str:
    found = facts.get(name)
    return found if isinstance(found, str) else ""
