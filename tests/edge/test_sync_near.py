"""Over the school's own network a teacher's laptop carries what devices deliver, and brings their answers back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.hub.database import open_database
from edge.hub.join import join
from edge.learning.erasure import erase
from edge.learning.store import Store
from edge.settings import Settings
from edge.sync import spool
from edge.sync.lan import carrying
from edge.sync.lan.events import Event
from edge.sync.lan.find import Found
from edge.sync.lan.interfaces import Address
from edge.sync.lan.lobby import MOST_CODES_SPENT, MOST_WRONG
from edge.sync.lan.receiving import open_receiving
from edge.sync.lan.sender import parse_address, send_near, the_one
from edge.sync.ledger import Ledger, States
from handing import NOW, Device, Hub, quick_folder
from nearby import LOOP, Room, deliver, key_of, multicast_works, opened

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as quick:
        yield quick


@pytest.fixture
def hub(place: Path) -> Hub:
    return Hub.made(place / "hub")


@pytest.fixture
def device(place: Path, hub: Hub) -> Device:
    return made(place / "device", hub, 30)


@pytest.fixture
def stick(place: Path) -> Path:
    (place / "stick").mkdir()
    return place / "stick"


def made(home: Path, hub: Hub, answers: int) -> Device:
    device = Device(home)
    device.enrol(hub.enrolment())
    device.practise(answers)
    return device


def carried(teacher: Path, stick: Path) -> tuple[int, int]:
    """How many bundles the courier wrote, and how many were there."""
    found = carrying.carry(teacher, stick)
    assert found
    return found.files, found.there


def test_a_delivery_goes_from_device_to_teacher_to_stick_to_hub_and_its_acknowledgement_all_the_way_back(
    place: Path, hub: Hub, device: Device, stick: Path
) -> None:
    teacher, events = place / "teacher", list[Event]()
    with opened(teacher, events) as open_:
        sent = deliver(device, open_)
        assert (sent.facts, sent.files, sent.already) == (30, 1, 0)
        assert device.states() == States(0, 0, 30, 0)
        assert [event.kind for event in events] == ["paired", "began", "received"]
    assert carried(teacher, stick) == (1, 0)
    [outcome] = hub.receive(stick)
    assert (outcome.state, outcome.new) == ("imported", 30)
    hub.acknowledge(stick)
    assert carrying.take_acks(teacher, stick) == 1
    assert carrying.take_acks(teacher, stick) == 0
    with opened(teacher) as open_:
        assert open_.load() == carrying.Load(1, sent.bytes, 0, 1)
        sent = deliver(device, open_)
        assert (sent.facts, sent.acknowledged, sent.acks, sent.released) == (0, 30, 1, 1)
        assert open_.load().bundles == 0
    assert device.states() == States(0, 0, 0, 30)
    assert device.take_back(stick).removed == 1  # The copy on the stick goes too.
    assert hub.rows("SELECT count(*), max(copy) FROM attempts") == [(30, 0)]


def test_what_the_teacher_has_is_not_sent_again_and_what_is_new_travels_alone(
    place: Path, hub: Hub, device: Device, stick: Path
) -> None:
    with opened(place / "teacher") as open_:
        deliver(device, open_)
        device.practise(5)
        sent = deliver(device, open_)
        assert (sent.facts, sent.files, sent.already) == (35, 1, 1)
        assert open_.load().bundles == 2
    with opened(place / "another") as open_:
        assert deliver(device, open_).files == 2
    carrying.carry(place / "teacher", stick)
    assert [outcome.new for outcome in hub.receive(stick)] in ([30, 5], [5, 30])
    carrying.carry(place / "another", stick)
    assert {outcome.state for outcome in hub.receive(stick)} == {"repeated"}
    assert hub.rows("SELECT count(*), max(copy) FROM attempts") == [(35, 0)]


def test_a_hub_may_take_in_what_its_own_laptop_carries_and_answer_into_the_same_folder(
    place: Path, hub: Hub, device: Device
) -> None:
    with opened(place / "teacher") as open_:
        deliver(device, open_)
        assert [outcome.new for outcome in hub.receive(place / "teacher" / "courier")] == [30]
        hub.acknowledge(place / "teacher" / "courier")
        assert deliver(device, open_).acknowledged == 30


def test_acknowledgements_of_two_hubs_for_one_device_wait_side_by_side(
    place: Path, hub: Hub, device: Device, stick: Path
) -> None:
    twin, other = Hub.made(place / "twin", hub), place / "other"
    other.mkdir()
    with opened(place / "teacher") as open_:
        device.export(stick)
        hub.receive(stick)
        hub.acknowledge(stick)
        with open_database(twin.place) as database, open_database(hub.place) as known:
            join(database, known, NOW)
        device.practise(4)
        device.export(other)
        twin.receive(other)
        twin.acknowledge(other)
        assert [carrying.take_acks(place / "teacher", each) for each in (stick, other, stick)] == [1, 1, 0]
        assert open_.load().acks == 2
        assert deliver(device, open_).acknowledged == 34


def test_wrong_codes_are_counted_and_five_of_them_change_the_code(place: Path, device: Device) -> None:
    events: list[Event] = []
    with opened(place / "teacher", events) as open_:
        first = open_.code
        wrong = f"{(int(first) + 1) % 10**6:06}"
        for _ in range(MOST_WRONG):
            assert open_.code == first
            assert key_of(lambda: deliver(device, open_, wrong)) == "near-code-wrong"
        assert open_.code != first
        assert [event.code for event in events if event.kind == "code"] == [open_.code]
        assert key_of(lambda: deliver(device, open_, first)) == "near-code-wrong"
        assert device.states().delivered == 0
        assert deliver(device, open_).facts == 30
        assert key_of(lambda: deliver(device, open_, "12 34")) == "near-code-shape"


def test_after_too_many_wrong_codes_nobody_new_comes_in_until_the_teacher_says_so(place: Path) -> None:
    room = Room(place)
    early = room.near()
    for number in range(MOST_WRONG * MOST_CODES_SPENT):
        wrong = f"{(int(room.lobby.code) + 1) % 10**6:06}"
        assert key_of(lambda code=wrong: room.near(code)) == "near-code-wrong", number
    assert room.lobby.locked
    assert key_of(room.near) == "near-locked"
    assert early.acks() == []  # Who is in stays in.
    room.lobby.renew(0.0)
    assert room.near().held() == []


def test_who_hears_of_a_wrong_code_may_ask_for_another_at_once(place: Path, device: Device) -> None:
    events: list[Event] = []
    with opened(place / "teacher", events) as open_:
        first, asking = open_.code, iter([open_])

        def told(event: Event) -> None:
            events.append(event)
            if event.kind == "wrong-code":
                next(asking).new_code()

        open_._lobby._told = told
        assert key_of(lambda: deliver(device, open_, f"{(int(first) + 1) % 10**6:06}")) == "near-code-wrong"
        assert [event.kind for event in events] == ["wrong-code", "code"]
        assert open_.code == events[-1].code != first


def test_a_code_grows_old_and_so_does_a_session(place: Path) -> None:
    room = Room(place)
    near, first = room.near(), room.lobby.code
    for room.now in (599.0, 601.0):
        room.lobby.tick(room.now)
    assert room.lobby.code != first
    assert near.acks() == []
    room.now += 1801
    room.lobby.tick(room.now)
    assert key_of(near.acks) == "near-session"


def test_thirty_devices_deliver_at_once(place: Path, hub: Hub, stick: Path) -> None:
    devices = [made(place / f"d{number}", hub, 20) for number in range(30)]
    with opened(place / "teacher") as open_, ThreadPoolExecutor(30) as pool:
        sent = list(pool.map(lambda device: deliver(device, open_), devices))
        assert [each.facts for each in sent] == [20] * 30
        assert open_.load().bundles == 30
    carrying.carry(place / "teacher", stick)
    assert {(each.state, each.new) for each in hub.receive(stick)} == {("imported", 20)}


def test_the_spool_drops_what_may_no_longer_leave(place: Path, hub: Hub, device: Device) -> None:
    with Store.open(device.path) as store:
        store.append_turn(learner="ana", question="¿?", mode="bank", text="sí", lesson="", at=NOW)
    settings = Settings(device.home, share_turns=True)

    def waiting(settings: Settings) -> list[spool.Waiting]:
        with Ledger(device.path) as ledger:
            return spool.waiting(device.home, ledger, device.papers(ledger), {}, NOW, turns=settings.share_turns)

    [with_chat] = waiting(settings)
    assert [each.sealed for each in waiting(settings)] == [with_chat.sealed]
    [without] = waiting(replace(settings, share_turns=False))
    assert (with_chat.facts, without.facts) == (31, 30)
    erase(device.path, "ana", NOW)
    [after] = waiting(replace(settings, share_turns=False))
    assert after.digest not in (with_chat.digest, without.digest)
    assert [each.digest for each in waiting(replace(settings, share_turns=False))] == [after.digest]
    [path] = (device.home / "spool").rglob("*.age")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [each.digest for each in waiting(replace(settings, share_turns=False))] == [after.digest]
    assert not path.exists()
    [path] = (device.home / "spool").rglob("*.age")
    other = Hub.made(place / "other")
    device.enrol(other.enrolment("escuela-2"))
    waiting(replace(settings, share_turns=False))
    assert not path.exists()


def test_a_full_courier_lets_only_go_what_a_stick_has_carried(place: Path, hub: Hub, stick: Path) -> None:
    devices = [made(place / f"d{number}", hub, 3) for number in range(4)]
    room = Room(place / "teacher")
    room.courier._most = 2 * 4500
    assert [room.meet(device).files for device in devices[:2]] == [1, 1]
    assert key_of(lambda: room.meet(devices[2])) == "near-courier-full"
    assert devices[2].states() == States(0, 3, 0, 0)
    carrying.carry(place / "teacher", stick)
    assert room.meet(devices[2]).files == 1
    assert {held.carried for held in room.courier.held()} == {0, 1}
    hub.receive(stick)
    hub.acknowledge(stick)
    carrying.take_acks(place / "teacher", stick)
    carrying.carry(place / "teacher", stick)
    hub.receive(stick)
    assert hub.rows("SELECT count(*) FROM attempts") == [(9,)]


def test_nobody_but_its_device_releases_a_bundle(place: Path, hub: Hub, device: Device) -> None:
    room = Room(place / "teacher")
    room.meet(device)
    [name] = room.near().held()
    assert not room.near().release(name, bytes(32))
    assert room.near().held() == [name]


def test_a_stick_that_was_pulled_out_while_the_courier_wrote_is_written_right_the_next_time(
    place: Path, hub: Hub, device: Device, stick: Path
) -> None:
    room = Room(place / "teacher")
    room.meet(device)
    carrying.carry(room.home, stick)
    for path in (stick / "AMAUTA" / "ENTREGAS").iterdir():
        if path.suffix == ".json":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:100])
    assert carried(room.home, stick) == (1, 0)
    assert carried(room.home, stick) == (0, 1)
    assert [outcome.new for outcome in hub.receive(stick)] == [30]


def has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_both_kinds_of_addresses_lead_to_the_same_laptop(place: Path, device: Device) -> None:
    both = [LOOP, Address("::1")]
    with open_receiving(Settings(place / "teacher"), lambda _: None, addresses=both, announce=False) as open_:
        plain, other = open_.addresses
        assert other == plain.replace("127.0.0.1", "[::1]")
        assert send_near(Settings(device.home), open_.code, other).files == 1
        assert deliver(device, open_).already == 1


def test_a_laptop_is_open_once_and_only_on_a_network(place: Path) -> None:
    with opened(place):
        assert key_of(lambda: opened(place).__enter__()) == "near-open-already"
    none = open_receiving(Settings(place), lambda _: None, addresses=[])
    assert key_of(none.__enter__) == "near-no-network"


def test_an_address_is_typed_as_it_is_shown_and_two_laptops_are_told_apart() -> None:
    assert parse_address(" 192.168.1.20:40123 ") == Found("", ("192.168.1.20",), 40123)
    assert parse_address("[fd00::2]:40123").address == "[fd00::2]:40123"
    for text in ("", "laptop:80", "192.168.1.20", "192.168.1.20:0", "192.168.1.20:99999", "1.2.3:4", "é:1"):
        assert key_of(lambda text=text: parse_address(text)) == "near-address"
    one, other = Found("ABCD", ("10.0.0.1",), 1), Found("EFGH", ("10.0.0.2",), 2)
    assert the_one([one]) == one
    assert key_of(lambda: the_one([])) == "near-none"
    assert key_of(lambda: the_one([one, other])) == "near-several"


@pytest.mark.skipif(not multicast_works(), reason="this machine's network does not carry multicast")
@pytest.mark.skipif(os.name != "posix", reason="stops the other process with SIGINT")
def test_two_processes_find_each_other_and_nothing_but_the_code_is_typed(
    place: Path, hub: Hub, device: Device, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, pipe = place / "teacher", subprocess.PIPE

    def amauta(home: Path, *words: str) -> tuple[int, str, str]:
        return main(words, {"AMAUTA_HOME": str(home), "AMAUTA_LANG": "es"}), *capsys.readouterr()

    environ = {**os.environ, "AMAUTA_HOME": str(teacher), "AMAUTA_LANG": "es"}
    command = [
        sys.executable,
        "-c",
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from edge.cli import main; sys.exit(main())",
        "sync",
        "receive",
        "--json",
        "--minutes",
        "2",
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=pipe, stderr=pipe, text=True) as courier:
        assert courier.stdout
        try:
            told = json.loads(courier.stdout.readline())
            assert told["announced"]
            send = ("sync", "send", "--near", "--json", "--code", told["code"])
            code, out, err = amauta(device.home, *send)
            if code:  # Somebody else's laptop is open here too: both are named, and the address says which.
                assert f"{told['label']} ({told['addresses'][0]})" in err
                code, out, err = amauta(device.home, *send, "--address", told["addresses"][0])
            assert code == 0, err
            assert json.loads(out)["facts"] == 30
        finally:
            courier.send_signal(signal.SIGINT)
        out, err = courier.communicate(timeout=30)
    assert courier.returncode == 0
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["paired", "began", "received", "closed"]
    assert f"{told['code'][:3]} {told['code'][3:]}" in err
    _, out, err = amauta(teacher, "sync", "export", str(stick), "--json")
    assert json.loads(out)["carried"]["files"] == 1
    assert "entregas 1" in amauta(teacher, "sync", "status")[1]
    assert [outcome.new for outcome in hub.receive(stick)] == [30]


def test_what_nobody_finds_is_said_in_a_sentence(place: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.sync.lan import find as finding
    from edge.sync.lan import near as nearing

    monkeypatch.setattr(finding, "lan_addresses", list)
    assert key_of(lambda: send_near(Settings(device.home), "123456", None)) == "near-none"
    monkeypatch.setattr(nearing, "PAUSES_S", (0.01,))
    begun = time.monotonic()
    assert key_of(lambda: send_near(Settings(device.home), "123456", "127.0.0.1:1")) == "near-lost"
    settings = Settings(device.home)
    assert key_of(lambda: send_near(settings, "123456", "127.0.0.1:1", cancelled=lambda: True)) == "near-cancelled"
    assert time.monotonic() - begun < 20
    assert key_of(lambda: send_near(Settings(place / "new"), "123456", "127.0.0.1:1")) == "not-enrolled"
