"""One stick on one disk, from the first probe to the receipt.

Opens the disk for itself alone, looks once more that it is the one the technician named, and writes
the receipt only after `passage` came back. What goes wrong is an outcome: other sticks go on.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from devkit.disks.attached import attached_disks
from devkit.disks.choice import Rules, choose
from devkit.disks.disk import Disk
from devkit.errors import KitError
from devkit.stick import DataStick, Stick
from devkit.write.chunks import HEAD_BYTES
from devkit.write.device import Device, FileDevice, aligned, disk_trouble
from devkit.write.journal import Journal
from devkit.write.passage import SETTLE_S, Passage, Passed, Watch
from devkit.write.receipt import Receipt, block_list, forget_older, keep, receipt_path
from devkit.write.source import Source
from devkit.write.survey import Survey
from edge import __version__
from edge.errors import EdgeError


@dataclass(frozen=True, slots=True)
class Job:
    """What goes where."""

    stick: Stick
    disk: Disk
    source: Source
    site: str
    lang: str
    rules: Rules
    plan_sha256: str = ""
    """Of the plan file; empty for a single image."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: a receipt, or why there is none."""

    job: Job
    receipt: Receipt | None = None
    error: EdgeError | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What every job of a run shares."""

    receipts: Path
    stop: threading.Event
    run: bytes
    """A number of this run, which no earlier probe can know."""

    now: Callable[[], datetime]
    settle_s: float = SETTLE_S
    open_device: Callable[[str], Device] = field(default=lambda path: FileDevice(path, writing=True))


def do(job: Job, survey: Survey, watch: Watch, means: Means) -> Outcome:
    """Write and verify one stick; for a thread of its own."""
    try:
        device = means.open_device(job.disk.path)
        try:
            _same_disk(job, device)
            return Outcome(job, _write(job, device, survey, watch, means))
        finally:
            device.close()
    except EdgeError as error:
        return Outcome(job, error=error)
    except OSError as error:
        return Outcome(job, error=disk_trouble(error, job.disk.path, 0))


def _write(job: Job, device: Device, survey: Survey, watch: Watch, means: Means) -> Receipt:
    began = means.now()
    path = receipt_path(means.receipts, job.stick.name, job.disk.serial, device.size)
    journal = Journal(means.receipts, job.stick.name, job.disk.serial, device.size, _print_of(job.source))
    passage = Passage(device, job.disk.path, survey, watch, means.stop, means.run)
    try:
        forget_older(means.receipts, job.stick.name, job.disk.serial, _head(device))
        passed = passage.go(journal, means.settle_s)
        head = _head(device)
    except OSError as error:
        raise disk_trouble(error, job.disk.path, passage.at) from error
    blocks = block_list(passage.chunks, [survey.digest(chunk) for chunk in passage.chunks])
    facts = _facts(job, survey, passed, device.size) | {
        "head_sha256": head,
        "started_at": began.isoformat(timespec="seconds"),
        "ended_at": means.now().isoformat(timespec="seconds"),
    }
    receipt = keep(means.receipts, path, facts, blocks)
    journal.forget()
    return receipt


def _same_disk(job: Job, device: Device) -> None:
    """Between choosing and opening somebody may have swapped sticks; now that it is ours, look again."""
    if not isinstance(device, FileDevice):
        return
    again = choose(attached_disks(), job.disk.path, job.rules)
    if (again.serial, again.size, again.model) != (job.disk.serial, job.disk.size, job.disk.model):
        raise KitError("disk-swapped", disk=job.disk.path, serial=job.disk.serial or "-", found=again.serial or "-")
    if device.size != job.disk.size:
        raise KitError("disk-swapped", disk=job.disk.path, serial=job.disk.size, found=device.size)
    if job.source.size % device.sector and device.sector > 512:
        raise KitError("disk-sector", disk=job.disk.path, sector=device.sector)


def _facts(job: Job, survey: Survey, passed: Passed, size: int) -> dict[str, Any]:
    stick, disk = job.stick, job.disk
    facts: dict[str, Any] = {
        "site": job.site,
        "lang": job.lang,
        "stick": stick.name,
        "plan_sha256": job.plan_sha256,
        "kind": "data" if isinstance(stick, DataStick) else "image",
        "disk": {"serial": disk.serial, "model": disk.model, "size": size, "path": disk.path},
        "source": {"name": survey.source.name, "size": survey.source.size, "sha256": survey.sha256},
        "bytes_written": passed.written,
        "bytes_verified": passed.verified,
        "bytes_not_ours": passed.blank,
        "probe_s": round(passed.probe_s, 2),
        "write_s": round(passed.write_s, 2),
        "check_s": round(passed.check_s, 2),
        "versions": {"amauta-kit": __version__, **dict(stick.versions)},
    }
    if isinstance(stick, DataStick):
        facts |= {"volume": stick.volume, "filesystem": stick.filesystem, "contents": contents(stick)}
    return facts


def contents(stick: DataStick) -> dict[str, list[str]]:
    """Return what a data stick carries, by the folders of `AMAUTA/`: `{"models": ["mini.gguf"], ...}`."""
    found: dict[str, dict[str, None]] = {}
    for file in stick.files:
        parts = file.path.split("/")
        if len(parts) > 2 and parts[0] == "AMAUTA":
            found.setdefault(parts[1], {})[parts[2]] = None
    return {name: sorted(names) for name, names in sorted(found.items())}


def _print_of(source: Source) -> str:
    """Return what tells one source from another at a glance; every block is compared anyway."""
    try:
        found = source.body.stat()
    except OSError as error:
        raise KitError("source-unreadable", file=source.body, reason=error.strerror or str(error)) from error
    return f"{source.name} {source.size} {found.st_mtime_ns} {hashlib.sha256(source.head).hexdigest()[:16]}"


def _head(device: Device) -> str:
    """Return the SHA-256 of the first megabyte, by which a disk is known again."""
    view = aligned(HEAD_BYTES)[: min(HEAD_BYTES, device.size)]
    device.read(0, view)
    return hashlib.sha256(view).hexdigest()
