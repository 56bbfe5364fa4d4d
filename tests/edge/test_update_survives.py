"""An update may be killed at any instant: the device has the old or the new release, whole, and goes on from there."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.release.contents import Contents
from edge.update.install import install
from edge.update.places import Releases
from edge.update.receipt import read_receipt
from edge.update.start import begin, reached
from handing import quick_folder
from shop import Shop
from surviving import killed, kills

KILLS = kills(60)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Path]:
    """Amauta's folder, in memory where there is such a disk: what is tested is the order of writes, not their speed."""
    with quick_folder(tmp_path) as quick:
        yield quick


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
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_at_any_instant_leaves_the_old_or_the_new_release_whole(device: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    shop, releases = Shop(), Releases.of(device)
    made = {1: shop.release(1, files_of(1, chance))}
    _update(device, made[1], shop)
    number, longest_s = 1, 0.1
    switched = killed_ones = 0
    while killed_ones < KILLS:
        if releases.pointer().number == number:
            number += 1
            made[number] = shop.release(number, files_of(number, chance))
        in_time = killed(an_update(device, made[number], shop), chance.uniform(0, longest_s))
        # How long an update lives at most follows the speed of this machine just now.
        longest_s *= 1.1 if in_time else 0.8
        killed_ones += in_time
        begin(device, {})
        here = releases.pointer().number
        assert here in (number, number - 1), f"seed {seed}"
        assert read_receipt(releases, here) is not None
        assert holds(releases, made[here]), f"seed {seed}"
        switched += here == number
        if here != number or chance.random() < 0.8:
            # One start of the rest is killed before its prompt; it is not given up for that.
            reached(device, here)
    _update(device, made[number], shop)
    assert holds(releases, made[number])
    assert switched > KILLS // 20
