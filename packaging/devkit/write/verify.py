"""Repeat the reading: a disk against its receipt, or a mounted data stick against its own list.

Reads only. A disk is read past every cache; a folder as any computer reads it, so it works on Windows too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from devkit.errors import KitError
from devkit.write.chunks import CHUNK_BYTES, HEAD_BYTES
from devkit.write.device import Device, aligned
from devkit.write.receipt import Receipt, read_blocks, receipts_in
from edge.files import sha256_of
from edge.provision import ENROLMENT
from edge.site import NAME
from edge.stick import FOLDER

LIST = (FOLDER, "files.json")
LARGEST_LIST = 64 << 20
CHANGES = tuple(f"{FOLDER}/{name}" for name in (NAME, ENROLMENT))
"""What a device rewrites or takes away in time: secrets are erased after enrolment."""

Moved = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs from what was confirmed."""

    where: str
    """A place on the disk in MB, or a path."""

    what: str
    """`differs`, `absent` or `unreadable`."""


def verify_disk(device: Device, receipt: Receipt, moved: Moved) -> list[Finding]:
    """Return which blocks are not what the receipt vouches for; raise OSError when the disk cannot be read at all."""
    blocks = read_blocks(receipt)
    total, done, found = sum(length for _, length, _ in blocks), 0, []
    buffer = aligned(CHUNK_BYTES)
    for offset, length, digest in blocks:
        if length > CHUNK_BYTES or offset + length > device.size:
            raise KitError("verify-smaller", size=f"{device.size / 1e6:.0f}", need=f"{(offset + length) / 1e6:.0f}")
        view = buffer[:length]
        try:
            device.read(offset, view)
            wrong = "" if hashlib.sha256(view).hexdigest() == digest else "differs"
        except OSError:
            wrong = "unreadable"
        if wrong:
            found.append(Finding(f"{offset / 1e6:.1f} MB", wrong))
        done += length
        moved(done, total)
    return found


def receipt_for(folder: Path, serial: str, device: Device) -> Receipt:
    """Return the receipt of this disk; raise KitError when none is there or several could be."""
    of_size = [receipt for receipt in receipts_in(folder) if receipt.facts["disk"]["size"] == device.size]
    known = [receipt for receipt in of_size if receipt.serial == serial]
    if len(known) > 1:
        view = aligned(HEAD_BYTES)
        device.read(0, view)
        head = hashlib.sha256(view).hexdigest()
        known = [receipt for receipt in known if receipt.facts.get("head_sha256") == head] or known
    if len({receipt.facts["blocks"] for receipt in known}) != 1:
        names = ", ".join(receipt.path.name for receipt in known) or "-"
        raise KitError("verify-which", folder=folder, serial=serial or "-", names=names)
    return known[0]


def verify_folder(folder: Path, moved: Moved) -> list[Finding]:
    """Return which files of a mounted data stick are not what its own list says."""
    rows = _read_list(folder.joinpath(*LIST))
    total, done, found = sum(int(row["size"]) for row in rows), 0, []
    for row in rows:
        path = folder.joinpath(*PurePosixPath(row["path"]).parts)
        if (wrong := _judge(path, row)) and row["path"] not in CHANGES:
            found.append(Finding(row["path"], wrong))
        done += int(row["size"])
        moved(done, total)
    return found


def _judge(path: Path, row: dict[str, Any]) -> str:
    try:
        if not path.is_file():
            return "absent"
        same = path.stat().st_size == row["size"] and sha256_of(path) == row["sha256"]
    except OSError:
        return "unreadable"
    return "" if same else "differs"


def _read_list(path: Path) -> Sequence[dict[str, Any]]:
    try:
        if path.stat().st_size > LARGEST_LIST:
            raise KitError("verify-list", file=path)
        found = json.loads(path.read_bytes())
        rows = found["files"]
        sound = found["format"] == 1 and isinstance(rows, list) and bool(rows) and all(map(_is_sound, rows))
    except FileNotFoundError as error:
        raise KitError("verify-no-list", folder=path.parent.parent) from error
    except OSError as error:
        raise KitError("receipt-unreadable", file=path, reason=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KitError("verify-list", file=path) from error
    if not sound:
        raise KitError("verify-list", file=path)
    return [dict(row) for row in rows]


def _is_sound(row: Any) -> bool:
    """Tell whether a row of a list from a stick, which anybody may have changed, leads nowhere else."""
    if not isinstance(row, dict) or not isinstance(row.get("path"), str) or type(row.get("size")) is not int:
        return False
    parts = row["path"].split("/")
    return isinstance(row.get("sha256"), str) and not any(
        part in ("", ".", "..") or "\\" in part or ":" in part for part in parts
    )
