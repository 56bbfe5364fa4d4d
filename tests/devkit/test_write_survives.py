"""Power fails at any instant: never a receipt for what is not on a stick, never a byte on another disk."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from devkit.disks.choice import Rules
from devkit.disks.disk import Disk
from devkit.stick import ImageStick, PlannedFile
from devkit.write.crew import Gauge, write_all
from devkit.write.job import Job, Means
from devkit.write.receipt import receipts_in
from devkit.write.source import image_source
from loops import Loop, loops, needs_loops
from surviving import ended, forked, kills

MEGA = 1 << 20
KILLS = kills(50)


def write_in_child(picture: Path, disks: Sequence[Disk], receipts: Path) -> int:
    """Start writing in a process of its own, which notes its progress after every chunk; return its number."""
    source = image_source(picture, None)
    planned = PlannedFile("live.img", source.size, "", picture)
    jobs = [
        Job(ImageStick(f"aula-{at}", planned), disk, source, "", "es", Rules(allow_loop=True))
        for at, disk in enumerate(disks)
    ]

    def write() -> None:
        means = Means(receipts, threading.Event(), os.urandom(16), lambda: datetime.now(UTC), settle_s=0.0)
        outcomes = write_all(jobs, means, _blind)
        assert all(outcome.receipt for outcome in outcomes), [outcome.error for outcome in outcomes]

    return forked(write)


def _blind(_gauges: Sequence[Gauge]) -> None:
    """Nobody watches."""


def receipts_tell_the_truth(receipts: Path, disks: Sequence[Loop], pictures: dict[str, bytes]) -> int:
    """Compare what each receipt says with what lies behind its disk; return how many there are."""
    files = {disk.serial: disk for disk in disks}
    found = receipts_in(receipts)
    for receipt in found:
        content = pictures[receipt.facts["source"]["sha256"]]
        assert files[receipt.serial].content()[: len(content)] == content, receipt.path.name
    return len(found)


@needs_loops
@pytest.mark.slow
def test_kill_9_at_any_instant_leaves_no_wrong_receipt_and_no_mark_on_another_disk(tmp_path: Path) -> None:
    random, receipts, picture = Random(4), tmp_path / "receipts", tmp_path / "live.img"
    pictures: dict[str, bytes] = {}

    def new_picture() -> None:
        content = random.randbytes(6 * MEGA + random.randrange(3) * 700)
        pictures[hashlib.sha256(content).hexdigest()] = content
        picture.write_bytes(content)

    new_picture()
    kills = finished = resumed = 0
    with loops(tmp_path, 3, 9 * MEGA) as (*disks, bystander):
        named = [disk.disk for disk in disks]
        began = time.monotonic()
        assert ended(write_in_child(picture, named, receipts)) == 0
        whole_s = time.monotonic() - began
        untouched = hashlib.sha256(bystander.content()).digest()
        while kills < KILLS and finished < KILLS:
            resumed += sum(
                json.loads(note.read_bytes())["done"] > 0 for note in (receipts / "in-progress").glob("*.json")
            )
            child = write_in_child(picture, named, receipts)
            time.sleep(random.uniform(0.0, whole_s))
            os.kill(child, signal.SIGKILL)
            code = ended(child)
            there = receipts_tell_the_truth(receipts, disks, pictures)
            if code == -signal.SIGKILL:
                kills += 1
                whole_s *= 1.03
                continue
            # It was through before the kill: both are right, and other content comes over them.
            assert (code, there) == (0, 2)
            finished += 1
            # How long writing takes follows how busy this machine is just now.
            whole_s *= 0.9
            new_picture()
        assert ended(write_in_child(picture, named, receipts)) == 0
        assert receipts_tell_the_truth(receipts, disks, pictures) == 2
        assert {receipt.facts["source"]["sha256"] for receipt in receipts_in(receipts)} == {list(pictures)[-1]}
        assert hashlib.sha256(bystander.content()).digest() == untouched
    print(f"{kills} kills, {finished} finished before the kill, {resumed} went on from a note")
    assert kills == KILLS
    assert resumed > KILLS // 10, "some kills fell between the first and the last chunk"
