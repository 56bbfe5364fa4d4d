"""Handing over survives kill -9, full disks and damaged sticks: nothing confirmed is lost, nothing doubled."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.hub.database import open_database
from edge.hub.receive import receive
from edge.sync import ack
from edge.sync.errors import RefusedError
from edge.sync.ledger import Ledger
from handing import NOW, Device, Hub, quick_folder
from surviving import fill, killed, kills, may_mount, small_disk

KILLS = kills(80)
DAMAGES = 10_000


class Round:
    """One device, one hub, one stick."""

    def __init__(self, folder: Path, seed: int, elsewhere: dict[str, Path] | None = None) -> None:
        places = {name: folder / name for name in ("hub", "device", "stick")} | (elsewhere or {})
        self.chance = random.Random(seed)
        self.hub = Hub.made(places["hub"])
        self.device = Device(places["device"], self.chance)
        self.device.enrol(self.hub.enrolment())
        self.stick = places["stick"]
        self.stick.mkdir()
        self.done = 0
        self.confirmed = 0

    def practise(self) -> None:
        many = self.chance.randint(1, 40)
        self.device.practise(many)
        self.done += many

    def deeds(self) -> list[Callable[[], object]]:
        device, hub, stick = self.device, self.hub, self.stick
        return [
            lambda: device.export(stick),
            lambda: hub.receive(stick),
            lambda: hub.acknowledge(stick),
            lambda: device.take_back(stick),
        ]

    def check(self) -> None:
        """What was confirmed is there, and there once."""
        states = self.device.states()
        assert states.draft + states.ready + states.delivered + states.acknowledged == self.done
        assert states.acknowledged >= self.confirmed
        self.confirmed = states.acknowledged
        [(here,)] = self.hub.rows("SELECT count(*) FROM attempts")
        assert self.confirmed <= int(str(here)) <= self.done
        assert self.hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]
        assert self.hub.rows("PRAGMA integrity_check") == [("ok",)]

    def finish(self) -> None:
        for deed in self.deeds():
            deed()
        self.check()
        assert self.confirmed == self.done
        assert self.hub.rows("SELECT count(*) FROM attempts") == [(self.done,)]
        assert {str(state) for (state,) in self.hub.rows("SELECT DISTINCT outcome FROM audit")} <= {
            "enrolled", "imported", "repeated", "written", "unfinished",
        }  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_at_any_instant_loses_nothing_confirmed_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)
    hit = 0
    with quick_folder(tmp_path) as quick:
        around = Round(quick, seed)
        around.practise()
        # How long each deed is let live at most; it follows the speed of this machine just now.
        longest_s = [0.03] * 4
        for number in range(KILLS):
            place = number % 4
            if place == 0:
                around.practise()
            in_time = killed(around.deeds()[place], chance.uniform(0, longest_s[place]))
            longest_s[place] *= 1.15 if in_time else 0.8
            hit += in_time
            if number % 12 == 11:
                around.check()
            if number % 60 == 59:
                around.finish()
        around.finish()
    assert hit > KILLS // 4, f"seed {seed}: the kills came too late"


@pytest.mark.skipif(not may_mount(), reason="needs root on Linux, to make a small disk")
@pytest.mark.parametrize("full", ["device", "stick", "hub"])
def test_a_full_disk_is_said_and_nothing_is_lost_or_doubled(tmp_path: Path, full: str) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk:
        around = Round(tmp_path, 5, {full: disk / full})
        said: set[str] = set()
        for leave in range(0, 120_000, 8000):
            around.practise()
            ballast = fill(disk, leave)
            for deed in around.deeds():
                try:
                    deed()
                except EdgeError as error:
                    said.add(error.key)
            ballast.unlink()
            around.check()
        around.finish()
        assert said & {"stick-full", "hub-full", "store-full", "papers-disk"}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Cut off, or with one bit the other way."""
    if chance.random() < 0.3:
        return content[: chance.randrange(len(content))]
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


@pytest.mark.slow
def test_a_delivery_cut_off_or_changed_anywhere_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    around = Round(tmp_path, 3)
    around.practise()
    [name] = around.device.export(around.stick)
    content = (around.stick / "AMAUTA" / "ENTREGAS" / name).read_bytes()
    with open_database(around.hub.place) as database:
        before = around.hub.dump()
        for _ in range(DAMAGES):
            with pytest.raises(RefusedError) as raised:
                receive(around.hub.place, database, damaged(content, chance), name, NOW)
            assert len(raised.value.say("es").splitlines()) == 2
        assert around.hub.dump() == before
        assert receive(around.hub.place, database, content, name, NOW).new == around.done


@pytest.mark.slow
def test_an_acknowledgement_cut_off_or_changed_anywhere_is_refused(tmp_path: Path) -> None:
    chance = random.Random(12)
    around = Round(tmp_path, 4)
    around.practise()
    for deed in around.deeds()[:3]:
        deed()
    [path] = (around.stick / "AMAUTA" / "ACUSES").iterdir()
    content = path.read_bytes()
    with Ledger(around.device.path) as ledger:
        papers = around.device.papers(ledger)
    for _ in range(DAMAGES // 5):
        with pytest.raises(RefusedError):
            ack.read(damaged(content, chance), papers.own.age, papers.enrolment)
    for _ in range(20):
        path.write_bytes(damaged(content, chance))
        assert around.device.take_back(around.stick).acknowledged == 0
        around.check()
    path.write_bytes(content)
    assert around.device.take_back(around.stick).acknowledged == around.done
