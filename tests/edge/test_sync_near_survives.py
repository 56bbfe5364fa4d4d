"""Courier and device survive kill -9, full disks and any order of meetings: what was confirmed is there, and once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.settings import Settings
from edge.sync.errors import SyncError
from edge.sync.lan import carrying, near
from edge.sync.lan.courier import Courier, WrongOffsetError, name_of
from edge.sync.lan.sender import send_near
from edge.sync.ledger import Ledger, States
from handing import Device, Hub, quick_folder
from nearby import Room, key_of, opened
from surviving import fill, forked, kill, kills, may_mount, small_disk

KILLS = kills(30)
AGE = b"age-encryption.org/v1\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as quick:
        yield quick


def be_courier(home: Path, pipe: int) -> None:
    """Open the courier, say where and with which code, and stay."""
    with opened(home) as receiving:
        os.write(pipe, json.dumps([receiving.code, receiving.addresses[0]]).encode() + b"\n")
        time.sleep(60)


def send(home: Path, code: str, address: str) -> None:
    near.PORTION = 1 << 8
    near.PAUSES_S = ()
    send_near(Settings(home), code, address)


def check(device: Device, teacher: Path, done: int) -> int:
    """What the device says is delivered lies at the courier, whole; return how much that is."""
    with Ledger(device.path) as ledger:
        names = {name for (name,) in ledger._rows("SELECT name FROM deliveries")}
    held = {each.name: each for each in Courier(teacher).held()}
    assert names <= held.keys()
    for name, each in held.items():
        content = (teacher / "courier" / "AMAUTA" / "ENTREGAS" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each.sha256
    states = device.states()
    assert states.draft + states.ready + states.delivered == done
    return states.delivered


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_of_either_side_at_any_instant_loses_nothing_confirmed_and_doubles_nothing(place: Path) -> None:
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)
    hub, device, teacher = Hub.made(place / "hub"), Device(place / "device", chance), place / "teacher"
    device.enrol(hub.enrolment())
    import spake2  # noqa: F401  # Once, before the forks.

    code = address = ""
    hits = done = delivered = courier = 0
    longest_s = 0.2
    for number in range(KILLS):
        if number % 4 == 0:
            many = chance.randint(50, 400)
            device.practise(many)
            done += many
        if not courier:
            reading, writing = os.pipe()
            courier = forked(lambda pipe=writing: be_courier(teacher, pipe))  # type: ignore[misc]
            os.close(writing)
            with os.fdopen(reading) as told:
                code, address = json.loads(told.readline())
        sender = forked(lambda where=(code, address): send(device.home, *where))  # type: ignore[misc]
        time.sleep(chance.uniform(0.02, longest_s))
        if number % 2:
            in_time = kill(sender)
        else:
            kill(courier)
            courier = 0
            in_time = os.waitpid(sender, os.WNOHANG)[0] == 0
            if in_time:
                os.waitpid(sender, 0)  # It notices by itself, and ends.
        longest_s = min(max(longest_s * (1.2 if in_time else 0.85), 0.05), 0.4)
        hits += in_time
        now = check(device, teacher, done)
        assert now >= delivered
        delivered = now
    if courier:
        kill(courier)
    with opened(teacher) as receiving:
        send_near(Settings(device.home), receiving.code, receiving.addresses[0])
    assert check(device, teacher, done) == done
    (place / "stick").mkdir()
    carrying.carry(teacher, place / "stick")
    assert {outcome.state for outcome in hub.receive(place / "stick")} == {"imported"}
    assert hub.rows("SELECT count(*), max(copy) FROM attempts") == [(done, 0)]
    assert hits > KILLS // 3, f"seed {seed}: the kills came too late"


def test_a_full_disk_is_said_and_the_delivery_goes_on_where_it_was(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub.made(place / "hub")
    device = Device(place / "device")
    device.enrol(hub.enrolment())
    device.practise(3000)
    room = Room(place / "teacher")
    monkeypatch.setattr(near, "PORTION", 1 << 12)
    keep = Courier._keep
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def no_room(*_: object) -> None:
        raise full

    monkeypatch.setattr(Courier, "_keep", no_room)
    assert key_of(lambda: room.meet(device)) == "near-courier-full"
    assert device.states() == States(0, 3000, 0, 0)
    assert room.courier.held() == []
    monkeypatch.setattr(Courier, "_keep", keep)
    assert room.meet(device).facts == 3000
    assert len(room.courier.held()) == 1
    assert [event.error.key for event in room.events if event.error] == ["courier-full"]


def test_a_courier_never_fills_the_disk_of_its_teacher(tmp_path: Path) -> None:
    courier = Courier(tmp_path, spare_bytes=1 << 60)
    with pytest.raises(SyncError) as raised:
        courier.append(hashlib.sha256(AGE).hexdigest(), 0, len(AGE), AGE)
    assert raised.value.key == "courier-full"


def test_what_a_killed_courier_had_not_confirmed_is_cleared_away(tmp_path: Path) -> None:
    courier = Courier(tmp_path)
    sha256 = hashlib.sha256(AGE).hexdigest()
    assert not courier.append(sha256, 0, len(AGE), AGE[:5])
    assert Courier(tmp_path).offset(sha256) == 5
    with pytest.raises(WrongOffsetError) as raised:
        courier.append(sha256, 4, len(AGE), AGE[4:])
    assert raised.value.offset == 5
    assert courier.append(sha256, 5, len(AGE), AGE[5:])
    receipt = courier.folder / f"{sha256[:16]}.json"
    half = courier.folder / f"{'f' * 16}.age"
    half.write_bytes(AGE)
    receipt.write_bytes(receipt.read_bytes()[:-5])
    again = Courier(tmp_path)
    assert again.held() == []
    again.clean()
    assert list(again.folder.iterdir()) == []


@pytest.mark.skipif(not may_mount(), reason="needs root on Linux, to make a small disk")
def test_a_disk_that_is_really_full_takes_nothing_and_keeps_what_it_had(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        courier = Courier(disk, spare_bytes=0)
        chance, kept, said = random.Random(3), set[str](), 0
        for number in range(12):
            content = AGE + chance.randbytes(60_000 + number)
            sha256 = hashlib.sha256(content).hexdigest()
            ballast = fill(disk, 20_000 * number)
            with suppress(SyncError):
                for offset in range(0, len(content), 20_000):
                    courier.append(sha256, offset, len(content), content[offset : offset + 20_000])
                kept.add(name_of(sha256))
            said += name_of(sha256) not in kept
            ballast.unlink()
            assert {held.name for held in Courier(disk).held()} == kept
        assert said
        assert kept


@dataclass
class School:
    """Two devices, two teachers, one stick, one hub; whatever is done in whatever order."""

    folder: Path
    chance: random.Random
    done: list[int] = field(default_factory=lambda: [0, 0])

    def __post_init__(self) -> None:
        self.hub = Hub.made(self.folder / "hub")
        self.devices = [Device(self.folder / f"d{number}", self.chance) for number in (0, 1)]
        for device in self.devices:
            device.enrol(self.hub.enrolment())
        self.rooms = [Room(self.folder / f"t{number}") for number in (0, 1)]
        self.stick = self.folder / "stick"
        self.stick.mkdir()

    def do(self, deed: str, who: int, which: int) -> None:
        device, home = self.devices[who], self.rooms[which].home
        if deed == "practise":
            many = self.chance.randint(1, 9)
            device.practise(many)
            self.done[who] += many
        elif deed == "meet":
            self.rooms[which].meet(device)
        elif deed == "carry":
            carrying.carry(home, self.stick)
            self.rooms[which] = Room(home)
        elif deed == "acks":
            carrying.take_acks(home, self.stick)
        elif deed == "export":
            device.export(self.stick)
        elif deed == "import":
            device.take_back(self.stick)
        elif deed == "hub":
            self.hub.receive(self.stick)
            self.hub.acknowledge(self.stick)
        elif deed == "direct":
            self.hub.receive(home / "courier")
            self.hub.acknowledge(home / "courier")
        elif deed == "lose":
            self.stick.rename(self.folder / f"lost-{self.chance.random()}")
            self.stick.mkdir()

    def check(self) -> None:
        [(here,)] = self.hub.rows("SELECT count(*) FROM attempts")
        acknowledged = 0
        for device, done in zip(self.devices, self.done, strict=True):
            states = device.states()
            assert states.draft + states.ready + states.delivered + states.acknowledged == done
            acknowledged += states.acknowledged
        assert acknowledged <= int(str(here)) <= sum(self.done)

    def finish(self) -> None:
        for deed in ("meet", "carry", "hub", "acks", "meet"):
            for who in (0, 1):
                self.do(deed, who, 0)
        assert [device.states() for device in self.devices] == [States(0, 0, 0, done) for done in self.done]
        assert self.hub.rows("SELECT count(*), coalesce(max(copy), 0) FROM attempts") == [(sum(self.done), 0)]
        assert self.rooms[0].courier.held() == []
        outcomes = {str(outcome) for (outcome,) in self.hub.rows("SELECT DISTINCT outcome FROM audit")}
        assert outcomes <= {"enrolled", "imported", "repeated", "written"}


DEEDS = ("practise", "meet", "meet", "carry", "acks", "export", "import", "hub", "direct", "lose")
STEPS = st.tuples(st.sampled_from(DEEDS), st.integers(0, 1), st.integers(0, 1))


@settings(max_examples=12)
@given(steps=st.lists(STEPS, max_size=12), seed=st.integers(0, 10**6))
def test_courier_stick_and_direct_ways_in_any_order_end_alike(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]], seed: int
) -> None:
    with quick_folder(tmp_path_factory.mktemp("school")) as quick:
        school = School(quick, random.Random(seed))
        for step in steps:
            school.do(*step)
            school.check()
        school.finish()
