"""Uploads survive kill -9 of either side at any instant, workers that race, and full disks: nothing confirmed is lost."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.hub.serve.uploads import Answer, Bounds, NoRoomError, Uploads, WrongOffsetError
from edge.sync.wire import client as wire
from handing import quick_folder
from served import District, Workers, hand_over, workers
from surviving import ended, forked, killed, kills

KILLS = kills(24)


class Campaign:
    """One device that delivers to two workers, and somebody who kills them."""

    def __init__(self, folder: Path, seed: int, around: Workers, district: District) -> None:
        self.chance = random.Random(seed)
        self.district, self.around = district, around
        self.confirmed_at = folder / "confirmed"
        self.done = self.acknowledged = self.hits = 0

    def practise(self) -> None:
        many = self.chance.randint(1, 400)
        self.district.device.practise(many)
        self.done += many

    def deliver(self) -> None:
        """Deliver in small portions; what the hub confirmed is written down outside of the device."""

        def told(progress: object) -> None:
            self.confirmed_at.write_text(str(progress.done))  # type: ignore[attr-defined]

        hand_over(self.district.device, self.around.url, told, timeout_s=3.0)

    def kill_client(self, longest_s: float) -> bool:
        return killed(self.deliver, self.chance.uniform(0, longest_s))

    def kill_server(self, longest_s: float) -> bool:
        child = forked(self.deliver)
        time.sleep(self.chance.uniform(0, longest_s))
        at_it = os.waitpid(child, os.WNOHANG) == (0, 0)
        self.around.kill()
        self.around.start()
        if at_it:
            # The client goes on by itself once somebody answers again.
            os.waitpid(child, 0)
        return at_it

    def check(self) -> None:
        states, hub = self.district.device.states(), self.district.hub
        assert states.draft + states.ready + states.delivered + states.acknowledged == self.done
        assert states.acknowledged >= self.acknowledged
        self.acknowledged = states.acknowledged
        [(here,)] = hub.rows("SELECT count(*) FROM attempts")
        assert self.acknowledged <= int(str(here)) <= self.done
        assert hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]

    def finish(self) -> None:
        self.deliver()
        self.check()
        assert self.acknowledged == self.done
        assert self.district.hub.rows("SELECT count(*) FROM attempts") == [(self.done,)]
        assert not list((self.district.site.uploads / "arriving").iterdir())
        assert set(self.district.outcomes("import")) <= {"imported", "repeated"}


def campaign(folder: Path, seed: int, kills: int) -> tuple[int, int, int]:
    """Kill so often, now one side and now the other; return hits on the client, on the server, and facts delivered."""
    hits = {"client": 0, "server": 0}
    longest_s = {"client": 0.1, "server": 0.1}
    district = District.made(folder)
    with workers(district.site) as around:
        found = Campaign(folder, seed, around, district)
        for number in range(kills):
            # The workers that start next live in another minute: a device may ask only so often in one.
            district.clock.turn(minutes=2)
            found.practise()
            side = "client" if number % 2 else "server"
            deed = found.kill_client if side == "client" else found.kill_server
            at_it = deed(longest_s[side])
            # How long a deed lives at most follows the speed of this machine just now.
            longest_s[side] *= 1.1 if at_it else 0.8
            hits[side] += at_it
            if number % 10 == 9:
                found.check()
        found.finish()
        return hits["client"], hits["server"], found.done


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMALLEST", "FIRST", "LARGEST"):
        monkeypatch.setattr(wire, name, 1500)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_of_device_or_hub_during_uploads_loses_nothing_confirmed(tmp_path: Path, small_portions: None) -> None:
    seed = random.SystemRandom().randrange(10**9)
    with quick_folder(tmp_path) as quick:
        client, server, _ = campaign(quick, seed, KILLS)
    assert min(client, server) > KILLS // 8, f"seed {seed}: the kills came too late ({client}, {server})"


def portions(content: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for begun in range(0, len(content), size):
        yield begun, content[begun : begun + size]


DEVICE = "0123456789abcdef"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_workers_that_race_for_one_upload_never_mix_its_bytes(tmp_path: Path) -> None:
    content = random.Random(3).randbytes(40_000)
    sha256 = hashlib.sha256(content).hexdigest()
    won = tmp_path / "won"

    def race() -> None:
        uploads = Uploads(tmp_path / "uploads")
        while True:
            here, answer = uploads.here(DEVICE, sha256)
            if answer:
                return
            try:
                whole = uploads.append(DEVICE, sha256, here, len(content), content[here : here + 777])
            except WrongOffsetError:
                continue
            if whole is not None:
                assert whole == content
                with won.open("a") as file:
                    file.write("x")
                uploads.finish(DEVICE, sha256, len(content), Answer("imported"))

    racers = [forked(race) for _ in range(6)]
    assert [ended(racer) for racer in racers] == [0] * 6
    assert set(won.read_text()) == {"x"}
    assert Uploads(tmp_path / "uploads").here(DEVICE, sha256) == (len(content), Answer("imported"))
    assert not list((tmp_path / "uploads" / "arriving").iterdir())


def test_bytes_that_changed_on_the_way_are_thrown_away_whole(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    sha256 = hashlib.sha256(b"right").hexdigest()
    with pytest.raises(WrongOffsetError) as raised:
        uploads.append(DEVICE, sha256, 0, 5, b"wrong")
    assert raised.value.offset == 0
    assert uploads.append(DEVICE, sha256, 0, 5, b"right") == b"right"


def test_what_is_on_its_way_is_bounded_and_old_ones_go(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, Bounds(device_bytes=100, device_files=2, all_bytes=150, spare_bytes=0))
    uploads.append(DEVICE, "a" * 64, 0, 60, b"x")
    with pytest.raises(NoRoomError):
        uploads.append(DEVICE, "b" * 64, 0, 60, b"x")
    uploads.append(DEVICE, "b" * 64, 0, 40, b"x")
    with pytest.raises(NoRoomError):
        uploads.append(DEVICE, "c" * 64, 0, 1, b"")
    with pytest.raises(NoRoomError):
        uploads.append("f" * 16, "d" * 64, 0, 60, b"x")
    for path in (tmp_path / "arriving").iterdir():
        os.utime(path, (1, 1))
    uploads.append("f" * 16, "d" * 64, 0, 60, b"x")
    assert uploads.here(DEVICE, "a" * 64) == (0, None)
    with pytest.raises(WrongOffsetError) as raised:
        uploads.append(DEVICE, "a" * 64, 1, 60, b"x")
    assert raised.value.offset == 0


def test_a_disk_that_is_full_in_the_middle_of_a_portion_confirms_none_of_it(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs limits on files")
    content = random.Random(4).randbytes(30_000)
    sha256 = hashlib.sha256(content).hexdigest()
    uploads = Uploads(tmp_path)
    uploads.append(DEVICE, sha256, 0, len(content), content[:10_000])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, before[1]))
    try:
        with pytest.raises(EdgeError) as raised:
            uploads.append(DEVICE, sha256, 10_000, len(content), content[10_000:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.key == "hub-full"
    assert uploads.here(DEVICE, sha256) == (10_000, None)
    assert uploads.append(DEVICE, sha256, 10_000, len(content), content[10_000:]) == content
