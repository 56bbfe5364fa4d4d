"""What a FAT stick can hold: names, volume labels, sizes.

Pure. Windows, old cameras and Linux must all read what we write, so the strictest rule counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from edge.release.contents import DEVICE_NAME, NAME

LARGEST_FAT32_FILE = (1 << 32) - 1
"""One byte below 4 GiB."""

LABEL_CHARACTERS, LONGEST_PATH, LONGEST_PART = 11, 200, 120


def is_safe(path: str) -> bool:
    """Tell whether a relative path with slashes can stand on any stick and leads nowhere else."""
    parts = path.split("/")
    return 0 < len(path) <= LONGEST_PATH and all(map(_is_safe_part, parts))


def _is_safe_part(part: str) -> bool:
    return (
        NAME.fullmatch(part) is not None
        and len(part) <= LONGEST_PART
        and part == part.strip()
        and part[-1] != "."
        and not DEVICE_NAME.fullmatch(part)
    )


def clash(paths: Iterable[str]) -> str | None:
    """Return the first path that FAT cannot tell from an earlier one, or that lies below an earlier file."""
    files: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        folded = path.casefold()
        above = {folded[:at] for at, letter in enumerate(folded) if letter == "/"}
        if folded in files or folded in folders or above & files:
            return path
        files.add(folded)
        folders |= above
    return None


def ascii_name(name: str) -> str:
    """Return a name whose letters lost their marks, as sticks need it; what has no ASCII letter is left out."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def label(name: str) -> str:
    """Return a volume label made of `name`: capital ASCII letters, digits and hyphens, at most 11."""
    return re.sub(r"[^A-Z0-9]+", "-", ascii_name(name).upper()).strip("-")[:LABEL_CHARACTERS].strip("-") or "AMAUTA"


def is_label(text: str) -> bool:
    """Tell whether a volume label fits FAT32 and exFAT."""
    return re.fullmatch(rf"[A-Z0-9][A-Z0-9_ -]{{0,{LABEL_CHARACTERS - 1}}}", text) is not None and text[-1] != " "
