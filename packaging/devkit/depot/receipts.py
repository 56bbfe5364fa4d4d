"""Read the receipts of builds and images: JSON tables of bounded size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from devkit.errors import KitError

LARGEST_BYTES = 16 << 20


def read_facts(path: Path) -> dict[str, Any]:
    """Read a receipt from its file; raise KitError when it is none."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise KitError("depot-receipt", path=path, reason=f"{path.stat().st_size} bytes")
        return parse_facts(path.read_bytes(), path)
    except OSError as error:
        raise KitError("depot-unreadable", path=path, reason=error.strerror or str(error)) from error


def parse_facts(content: bytes, path: Path) -> dict[str, Any]:
    """Read the bytes of a receipt; `path` says whose it is."""
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise KitError("depot-receipt", path=path, reason=str(error)[:100]) from error
    if not isinstance(facts, dict):
        raise KitError("depot-receipt", path=path, reason=type(facts).__name__)
    return facts
