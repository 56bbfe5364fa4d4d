"""How far the records had come when they were last closed, beside the file: an older copy put back is noticed.

Nothing of it is secret; a mark made with the key keeps others from writing one. Whoever puts back an older copy of both
files, or takes this one away, is not noticed.
"""

from __future__ import annotations

import hmac
import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edge.files import write_atomic
from edge.records import seal

SUFFIX = ".seen"


@dataclass(frozen=True, slots=True)
class Seen:
    """The last event there was."""

    seq: int
    hashed: bytes


def read(records: Path, device: str, key: bytes) -> Seen | None:
    """Return how far these records had come; nothing where no mark of theirs is there."""
    try:
        found = json.loads(_beside(records).read_bytes())
        seen = Seen(int(found["seq"]), bytes.fromhex(found["hash"]))
        fits = hmac.compare_digest(bytes.fromhex(found["mark"]), _mark(key, device, seen))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return seen if fits else None


def write(records: Path, device: str, key: bytes, seen: Seen) -> None:
    """Keep how far the records have come; a full disk must not stop anybody from closing them."""
    facts = {"seq": seen.seq, "hash": seen.hashed.hex(), "mark": _mark(key, device, seen).hex()}
    with suppress(OSError):
        write_atomic(_beside(records), json.dumps(facts).encode())


def _beside(records: Path) -> Path:
    return records.with_name(records.name + SUFFIX)


def _mark(key: bytes, device: str, seen: Seen) -> bytes:
    return hmac.new(seal.derived(key, "seen"), f"{device}|{seen.seq}|{seen.hashed.hex()}".encode(), sha256).digest()
