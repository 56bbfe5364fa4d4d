"""The receipt of one stick: written last, only after every block was read back right.

One JSON a stick, which `fleet`, the label and the delivery note are made from. The list of block
hashes lies beside it once for all sticks of the same content, so that `verify` can repeat the reading.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.errors import KitError
from devkit.write.chunks import Chunk
from devkit.write.journal import slug
from devkit.write.survey import listing
from edge.files import write_atomic

FORMAT = 1
BLOCKS = "blocks"
LARGEST_RECEIPT, LARGEST_LIST = 1 << 20, 64 << 20
_ROW = re.compile(r"(\d{1,15}) (\d{1,8}) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was found on one stick, and when."""

    path: Path
    facts: Mapping[str, Any]

    @property
    def stick(self) -> str:
        """Return the name the site file gave it."""
        return str(self.facts["stick"])

    @property
    def serial(self) -> str:
        """Return the serial number of its disk; empty where it has none."""
        return str(self.facts["disk"]["serial"])


def receipt_path(receipts: Path, stick: str, serial: str, disk_size: int) -> Path:
    """Return where the receipt of this stick on this disk is kept."""
    return receipts / f"{slug(stick)}_{slug(serial) or disk_size}.json"


def keep(receipts: Path, path: Path, facts: Mapping[str, Any], blocks: str) -> Receipt:
    """Write the list of blocks and then the receipt; raise KitError when our own disk refuses."""
    name = hashlib.sha256(blocks.encode()).hexdigest()
    whole = {"format": FORMAT, **facts, "blocks": name, "result": "verified"}
    try:
        write_atomic(receipts / BLOCKS / f"{name}.txt", blocks.encode())
        write_atomic(path, json.dumps(whole, indent=2, ensure_ascii=False).encode())
    except OSError as error:
        raise KitError("receipt-disk", folder=receipts, reason=error.strerror or str(error)) from error
    return Receipt(path, whole)


def read_receipt(path: Path) -> Receipt:
    """Return a receipt; raise KitError when there is none, or when it makes no sense."""
    try:
        if path.stat().st_size > LARGEST_RECEIPT:
            raise KitError("receipt-broken", file=path)
        facts = json.loads(path.read_bytes())
    except OSError as error:
        raise KitError("receipt-unreadable", file=path, reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise KitError("receipt-broken", file=path) from error
    if not _is_sound(facts):
        raise KitError("receipt-broken", file=path)
    return Receipt(path, facts)


def receipts_in(folder: Path) -> list[Receipt]:
    """Return every receipt of a folder; what is none is passed over."""
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            found.append(read_receipt(path))
        except KitError as error:
            # Another stick's thread, or another terminal, may just have taken its own away.
            if error.key != "receipt-broken" and not isinstance(error.__cause__, FileNotFoundError):
                raise
    return found


def forget_older(receipts: Path, stick: str, serial: str, head_sha256: str) -> None:
    """Remove the receipts that writing now makes untrue: of this stick, and of what this disk holds.

    Cheap sticks share one serial number: the first megabyte tells whether it was this very one.
    """
    for receipt in receipts_in(receipts):
        same_disk = receipt.serial == serial and receipt.facts.get("head_sha256") == head_sha256
        if same_disk or (receipt.stick == stick and receipt.serial == serial):
            try:
                receipt.path.unlink(missing_ok=True)
            except OSError as error:
                raise KitError("receipt-disk", folder=receipts, reason=error.strerror or str(error)) from error


def block_list(chunks: tuple[Chunk, ...], digests: list[bytes]) -> str:
    """Return the list of blocks in order of place; zeros are part of it."""
    order = sorted(range(len(chunks)), key=lambda at: chunks[at].offset)
    return listing([chunks[at] for at in order], [digests[at] for at in order])


def read_blocks(receipt: Receipt) -> list[tuple[int, int, str]]:
    """Return offset, length and SHA-256 of every block a receipt vouches for; raise KitError when the list is gone."""
    name = str(receipt.facts["blocks"])
    path = receipt.path.parent / BLOCKS / f"{name}.txt"
    try:
        text = path.read_bytes() if path.stat().st_size <= LARGEST_LIST else b""
    except OSError as error:
        raise KitError("receipt-unreadable", file=path, reason=error.strerror or str(error)) from error
    rows = [_ROW.fullmatch(line) for line in text.decode("ascii", errors="replace").splitlines()]
    if hashlib.sha256(text).hexdigest() != name or not rows or not all(rows):
        raise KitError("receipt-broken", file=path)
    return [(int(row[1]), int(row[2]), row[3]) for row in rows if row]


def _is_sound(facts: Any) -> bool:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("disk"), dict):
        return False
    texts = (facts.get("stick"), facts.get("blocks"), facts.get("result"), facts["disk"].get("serial"))
    return all(isinstance(text, str) for text in texts) and isinstance(facts["disk"].get("size"), int)
