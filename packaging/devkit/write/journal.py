"""Where a write was when the power failed: a note beside the receipts, never believed.

It says how many chunks had reached the medium; whoever goes on reads each of them again before
leaving it as it is. Its loss costs time and nothing else.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from devkit.errors import KitError
from devkit.site.names import ascii_name
from edge.files import write_atomic

FOLDER = "in-progress"
LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Note:
    """How far one stick came."""

    stick: str
    serial: str
    disk_size: int
    source: str
    """Name, size and time of the source: another one starts again."""

    done: int
    """Chunks, in the order of writing."""


class Journal:
    """The note of one stick on one disk."""

    def __init__(self, receipts: Path, stick: str, serial: str, disk_size: int, source: str) -> None:
        self._path = receipts / FOLDER / f"{slug(stick)}_{slug(serial) or disk_size}.json"
        self._start = Note(stick, serial, disk_size, source, 0)

    def done(self) -> int | None:
        """Return how many chunks an earlier, cut write of the same left behind; None when there was none."""
        note = read_note(self._path)
        same = note is not None and self._start == Note(note.stick, note.serial, note.disk_size, note.source, 0)
        return note.done if note and same else None

    def note(self, done: int) -> None:
        """Remember that so many chunks are on the medium; raise KitError when our own disk refuses."""
        facts = {**asdict(self._start), "done": done}
        try:
            write_atomic(self._path, json.dumps(facts).encode())
        except OSError as error:
            raise self._trouble(error) from error

    def forget(self) -> None:
        """Nothing is in progress any more; raise KitError when our own disk refuses."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> KitError:
        return KitError("receipt-disk", folder=self._path.parent, reason=error.strerror or str(error))


def read_note(path: Path) -> Note | None:
    """Return what a note says; None when there is none or it makes no sense."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        found = json.loads(path.read_bytes())
        note = Note(**{name: found[name] for name in Note.__slots__})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    sound = isinstance(note.done, int) and not isinstance(note.done, bool) and note.done >= 0
    return note if sound and all(isinstance(a, str) for a in (note.stick, note.serial, note.source)) else None


def unfinished(receipts: Path) -> list[Note]:
    """Return what was cut, to go on with the same stick on the same disk."""
    folder = receipts / FOLDER
    notes = (read_note(path) for path in sorted(folder.glob("*.json"))) if folder.is_dir() else ()
    return [note for note in notes if note]


def slug(text: str) -> str:
    """Return `text` as part of a file name; letters lose their marks."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", ascii_name(text)).strip("-.")[:60]
