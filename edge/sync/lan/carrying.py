"""Between a courier and a stick: bundles out, each receipt after its files, and acknowledgements in.

Nothing leaves the courier by this: a stick may be lost. Of the acknowledgements for one device the newest few are
kept, for two hubs may answer it; an older one that comes late does no harm.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomic
from edge.stick import FOLDER
from edge.sync import stick
from edge.sync.errors import RefusedError, SyncError
from edge.sync.lan.courier import Courier, Held, place_of

MOST_ACK_BYTES = 1 << 20
MOST_ACKS = 4096
MOST_VERSIONS = 3
BATCH_BYTES, BATCH_FILES = 8 << 20, 64
"""What shares one receipt on a stick."""

_AGE_MARK = b"age-encryption.org/"
_GROUP = 12
"""So many letters of an acknowledgement's name say which ones are for the same device; the others say which it is."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a courier put on a stick."""

    files: int = 0
    bytes: int = 0
    there: int = 0
    """Bundles that lay on it already."""

    trouble: SyncError | None = None
    """Why not everything could be written; `files` are whole all the same."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a courier carries now."""

    bundles: int
    bytes: int
    never_out: int
    """Bundles that no stick has carried yet."""

    acks: int


def load_of(home: Path) -> Load | None:
    """Return what this laptop carries for others; None when it never was a courier."""
    if not place_of(home).is_dir():
        return None
    held = Courier(home).held()
    never = sum(not each.carried for each in held)
    return Load(len(held), sum(each.size for each in held), never, len(ack_names(home)))


def carry(home: Path, stick_place: Path) -> Carried | None:
    """Write what is carried for others to a stick; None when there is nothing."""
    if not place_of(home).is_dir() or not (held := (courier := Courier(home)).held()):
        return None
    folder = stick.folder_on(stick_place, stick.OUT)
    whole = {found.path.name for found in stick.found_in(folder) if found.listed}
    files = size = 0
    for batch in _batches(sorted((each for each in held if each.name not in whole), key=lambda each: each.name)):
        contents = {each.name: content for each in batch if (content := _content(courier, each))}
        if not contents:
            continue
        receipt = f"{next(iter(contents))[:16]}{stick.RECEIPT}"
        stick.remove(folder, [receipt, *contents])  # Left half written by a power cut.
        try:
            stick.write_as(folder, contents, receipt)
        except SyncError as error:
            return Carried(files, size, len(whole), error)
        courier.note_carried(set(contents))
        files, size = files + len(contents), size + sum(map(len, contents.values()))
    return Carried(files, size, sum(each.name in whole for each in held))


def _batches(held: list[Held]) -> Iterator[list[Held]]:
    batch: list[Held] = []
    for each in held:
        if batch and (len(batch) == BATCH_FILES or sum(one.size for one in batch) + each.size > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _content(courier: Courier, held: Held) -> bytes:
    """Return a bundle, nothing when it went or went bad meanwhile: a stick gets only what is whole."""
    try:
        content = (courier.folder / held.name).read_bytes()
    except OSError:
        return b""
    return content if hashlib.sha256(content).hexdigest() == held.sha256 else b""


def take_acks(home: Path, stick_place: Path) -> int:
    """Take in every acknowledgement on a stick, if this laptop is a courier; return how many are new."""
    if not place_of(home).is_dir():
        return 0
    back = _back(home)
    taken = 0
    for found in stick.found_in(stick.folder_on(stick_place, stick.BACK)):
        try:
            content = stick.read(found) if found.size <= MOST_ACK_BYTES else b""
        except RefusedError:
            continue
        if found.path.suffix == stick.SUFFIX and content.startswith(_AGE_MARK):
            taken += _take(back, found.path.stem[:_GROUP], content)
    _forget_old(back, MOST_ACKS)
    return taken


def keep_ack(home: Path, name: str, content: bytes) -> bool:
    """Take in one acknowledgement, however it came; tell whether it is new."""
    if not content.startswith(_AGE_MARK) or len(content) > MOST_ACK_BYTES:
        return False
    new = _take(_back(home), name[:_GROUP], content)
    _forget_old(_back(home), MOST_ACKS)
    return new


def ack_names(home: Path) -> list[str]:
    """Return the names of the acknowledgements that wait here for their devices."""
    return [path.stem for path in _by_age(_back(home)) if path.suffix == stick.SUFFIX]


def ack(home: Path, name: str) -> bytes | None:
    """Return one of them."""
    try:
        return (_back(home) / f"{name}{stick.SUFFIX}").read_bytes()
    except OSError:
        return None


def _back(home: Path) -> Path:
    return place_of(home) / FOLDER / stick.BACK


def _take(back: Path, group: str, content: bytes) -> bool:
    """Keep one more for a device, unless it is here, and let go of its oldest."""
    same = [path for path in _by_age(back) if path.name.startswith(group)]
    try:
        if any(path.read_bytes() == content for path in same if path.stat().st_size == len(content)):
            return False
        write_atomic(back / f"{group}{hashlib.sha256(content).hexdigest()[:4]}{stick.SUFFIX}", content)
    except OSError as error:
        raise SyncError("courier-trouble", path=back, reason=error.strerror or os.strerror(error.errno or 0)) from error
    stick.remove(back, [path.name for path in same[: max(len(same) + 1 - MOST_VERSIONS, 0)]])
    return True


def _forget_old(back: Path, most: int) -> None:
    here = _by_age(back)
    stick.remove(back, [path.name for path in here[: max(len(here) - most, 0)]])


def _by_age(back: Path) -> list[Path]:
    """Return what is here, the oldest first."""
    try:
        dated = [(path.stat().st_mtime_ns, path) for path in back.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SyncError("courier-trouble", path=back, reason=error.strerror or "") from error
    return [path for _, path in sorted(dated)]
