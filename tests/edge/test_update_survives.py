"""An update may be killed at any instant: the device has the old or the new release, whole, and goes on from there."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.release.contents import Contents
from edge.update.install import install
from edge.update.places import Releases
from edge.update.receipt import read_receipt
from edge.update.start import begin, reached
from shop import Shop

INSTANTS = 200
NEVER_S = 60.0


MEMORY = Path("/dev/shm")


@pytest.fixture
def device() -> Iterator[Path]:
    """Amauta's folder, in memory where there is such a disk: what is tested is the order of writes, not their speed."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def files_of(number: int, chance: random.Random) -> dict[str, bytes]:
    """Return the files of a release: one that never changes, some that do, one in its middle only."""
    model = bytearray(random.Random(0).randbytes(60_000))
    model[20_000:24_000] = random.Random(number).randbytes(4_000)
    return {
        "models/pequeno.gguf": bytes(model),
        "voices/una.onnx": random.Random(1).randbytes(30_000),
        "packs/primaria/pack.toml": f"version = {number}\n".encode(),
        "packs/primaria/lessons/1.md": chance.randbytes(9_000),
        "app/linux-x86_64/amauta": random.Random(number // 3).randbytes(20_000),
        f"packs/solo-{number}/pack.toml": b"one",
    }


def in_child(work: Callable[[], None], kill_after_s: float) -> bool:
    """Do the work in a process of its own and kill it after so long; tell whether it was done first."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    ends = time.monotonic() + kill_after_s
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return status == 0


def holds(releases: Releases, contents: Contents) -> bool:
    """Read every file of a release and compare it."""
    folder = releases.whole(contents.number)
    return all(
        hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256 for file in contents.files
    ) and {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
        "installed.json",
        *(file.path for file in contents.files),
    }


def an_update(home: Path, contents: Contents, shop: Shop) -> Callable[[], None]:
    return lambda: _update(home, contents, shop)


def _update(home: Path, contents: Contents, shop: Shop) -> None:
    install(home, contents, shop.fetch, lambda _done, _total: None, lambda _: None)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")
def test_kill_9_at_200_instants_leaves_the_old_or_the_new_release_whole(device: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    shop, releases = Shop(), Releases.of(device)
    made: dict[int, Contents] = {}
    number, began = 1, time.monotonic()
    made[1] = shop.release(1, files_of(1, chance))
    assert in_child(an_update(device, made[1], shop), NEVER_S)
    usual_s = time.monotonic() - began
    switched = killed = 0
    while killed < INSTANTS:
        if releases.pointer().number == number:
            number += 1
            made[number] = shop.release(number, files_of(number, chance))
        killed += not in_child(an_update(device, made[number], shop), chance.uniform(0, 1.3 * usual_s))
        begin(device, {})
        here = releases.pointer().number
        assert here in (number, number - 1), f"seed {seed}"
        assert read_receipt(releases, here) is not None
        assert holds(releases, made[here]), f"seed {seed}"
        switched += here == number
        if here != number or chance.random() < 0.8:
            # One start of the rest is killed before its prompt; it is not given up for that.
            reached(device, here)
    assert in_child(an_update(device, made[number], shop), NEVER_S)
    assert holds(releases, made[number])
    assert switched > INSTANTS // 20
