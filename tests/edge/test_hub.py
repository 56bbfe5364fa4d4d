"""The hub takes in what is right, refuses and writes down the rest, and shows no small group."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli import main
from edge.hub import place as places
from edge.hub.database import open_database
from edge.hub.errors import HubError
from edge.hub.join import join
from edge.hub.mistakes import mistake
from edge.learning.exercise import LEVELS, SKILLS, generate
from edge.learning.store import Store
from edge.sync.bundle import MOST_RAW, Head, Link, encode
from edge.sync.enrolment import parse
from edge.sync.facts import Answer, Stream
from edge.sync.papers import LINK
from edge.sync.seal import BUNDLE, seal
from edge.words import words_for
from handing import NOW, Device, Hub


@pytest.fixture
def hub(tmp_path: Path, hub_database: Callable[[], str]) -> Hub:
    return Hub.made(tmp_path / "hub", address=hub_database())


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "stick" / "AMAUTA" / "ENTREGAS").mkdir(parents=True)
    return tmp_path / "stick"


@pytest.fixture
def device(tmp_path: Path, hub: Hub) -> Device:
    device = Device(tmp_path / "device", random.Random(7))
    device.enrol(hub.enrolment())
    return device


class Forger:
    """Someone with a key of her own who writes bundles as she likes."""

    def __init__(self, hub: Hub, stick: Path, token: bytes = bytes(16)) -> None:
        self.hub, self.folder = hub, stick / "AMAUTA" / "ENTREGAS"
        self.key = Ed25519PrivateKey.generate()
        self.head = Head(hub.place.id, "escuela-1", token, "f" * 16, hub.place.recipient)
        self.streams = [Stream("f" * 16, (Answer(1, 5, "x", "x/1", "3", 1, 0, 20, 0),))]

    def put(self, body: bytes, *, mark: bytes = BUNDLE, recipient: str = "", name: str = "f" * 16 + ".age") -> None:
        (self.folder / name).write_bytes(seal(mark, body, self.key, recipient or self.hub.place.recipient))


def token_of(hub: Hub) -> bytes:
    return parse(hub.enrolment()).token


def refusals(hub: Hub, stick: Path) -> list[str]:
    outcomes = hub.receive(stick)
    assert all(outcome.state == "refused" for outcome in outcomes)
    audited = hub.rows("SELECT detail FROM audit WHERE outcome = 'refused' ORDER BY id")
    keys = [outcome.error.key for outcome in outcomes if outcome.error]
    assert [str(detail).split(":")[0] for (detail,) in audited][-len(keys) :] == keys
    assert hub.rows("SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM devices)") == [(0,)]
    return keys


def test_a_well_made_bundle_with_a_token_comes_in(hub: Hub, stick: Path) -> None:
    forger = Forger(hub, stick, token_of(hub))
    forger.put(encode(forger.head, forger.streams))
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]


OLD = Ed25519PrivateKey.generate()
Change = Callable[[Head], Head]
HEADS: dict[str, Change] = {
    "token-unknown": lambda head: replace(head, token=bytes(16)),
    "bundle-other-hub": lambda head: replace(head, hub="0" * 16),
    "recipient-wrong": lambda head: replace(head, recipient="age1nobody"),
    "link-forged": lambda head: replace(
        head, links=(Link(OLD.public_key().public_bytes_raw(), OLD.sign(b"something else")),)
    ),
    "bundle-broken": lambda head: replace(head, school="../../x"),
}


@pytest.mark.parametrize("key", HEADS)
def test_a_head_that_is_not_right_is_refused_and_audited(hub: Hub, stick: Path, key: str) -> None:
    forger = Forger(hub, stick, token_of(hub))
    forger.put(encode(HEADS[key](forger.head), forger.streams))
    assert refusals(hub, stick) == [key]


def test_a_token_of_one_school_lets_nobody_in_at_another(hub: Hub, stick: Path) -> None:
    forger = Forger(hub, stick, parse(hub.enrolment("escuela-2")).token)
    forger.put(encode(forger.head, forger.streams))
    assert refusals(hub, stick) == ["token-unknown"]


def test_a_stolen_token_is_worth_nothing_once_the_school_was_enrolled_anew_and_known_devices_stay(
    hub: Hub, stick: Path, device: Device
) -> None:
    stolen = parse((device.home / "enrolment.json").read_bytes()).token
    device.practise(3)
    device.export(stick)
    hub.receive(stick)
    fresh = hub.enrolment(renew=True)
    forger = Forger(hub, stick, stolen)
    forger.put(encode(forger.head, forger.streams))
    device.practise(2)
    device.export(stick)
    states = sorted(outcome.state for outcome in hub.receive(stick))
    assert states == ["imported", "refused", "repeated"]
    assert hub.rows("SELECT detail FROM audit WHERE outcome = 'refused'")[0][0].startswith("token-revoked")  # type: ignore[attr-defined]
    forger.head = replace(forger.head, token=parse(fresh).token)
    forger.put(encode(forger.head, forger.streams))
    assert "refused" not in {outcome.state for outcome in hub.receive(stick)}


def body_with(payload: bytes, head: Head) -> bytes:
    whole = encode(head, [])
    size = 4 + struct.unpack(">I", whole[:4])[0]
    return whole[:size] + zstandard.compress(payload)


ROW = {
    "seq": [1],
    "learner": [0],
    "lesson": [0],
    "item": ["/1"],
    "given": ["3"],
    "right": [1],
    "hints": [0],
    "tenths": [9],
    "at": [0],
}
NONE: dict[str, list[object]] = {
    "seq": [],
    "learner": [],
    "question": [],
    "mode": [],
    "text": [],
    "lesson": [],
    "at": [],
}
GONE: dict[str, list[object]] = {"seq": [], "learner": [], "at": []}


def payload(**changes: object) -> bytes:
    stream = {"device": "f" * 16, "attempts": ROW | changes, "turns": NONE, "erased": GONE}
    return json.dumps({"learners": [5], "words": ["x"], "streams": [stream]}).encode()


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[]",
        b"{",
        b'{"learners": [], "words": [], "streams": [1]}',
        b"[" * 100_000,
        payload(seq=[0]),
        payload(seq=[1, 2]),
        payload(seq=[2**60]),
        payload(seq=["1"]),
        payload(learner=[1]),
        payload(learner=[-1]),
        payload(item=["1"]),
        payload(item=["/" + "x" * 500]),
        payload(given=["\ud800"]),
        payload(given=["3\0"]),
        payload(given=[None]),
        payload(right=[2]),
        payload(right=[True]),
        payload(at=[-5]),
        payload(extra=[1]),
        payload().replace(b"[5]", b"[true]"),
        payload().replace(b'"x"', b"7"),
        payload().replace(b"ffffffffffffffff", b"../../etc/passwd"),
    ],
)
def test_facts_that_are_not_right_are_refused_whole(hub: Hub, stick: Path, wrong: bytes) -> None:
    forger = Forger(hub, stick, token_of(hub))
    forger.put(body_with(wrong, forger.head))
    assert refusals(hub, stick) == ["bundle-broken"]


def test_facts_that_are_right_come_in_through_the_same_door(hub: Hub, stick: Path) -> None:
    forger = Forger(hub, stick, token_of(hub))
    forger.put(body_with(payload(), forger.head))
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]


def test_a_decompression_bomb_is_refused_without_unfolding_it(hub: Hub, stick: Path) -> None:
    forger = Forger(hub, stick, token_of(hub))
    bomb = zstandard.ZstdCompressor(level=3).compress(bytes(MOST_RAW * 8))
    whole = body_with(b"", forger.head)
    forger.put(whole[: 4 + struct.unpack(">I", whole[:4])[0]] + bomb)
    tracemalloc.start()
    try:
        assert refusals(hub, stick) == ["bundle-bomb"]
        assert tracemalloc.get_traced_memory()[1] < MOST_RAW * 4
    finally:
        tracemalloc.stop()


def test_another_format_another_reader_or_a_false_signature_is_refused(hub: Hub, stick: Path, tmp_path: Path) -> None:
    forger = Forger(hub, stick, token_of(hub))
    body = encode(forger.head, forger.streams)
    forger.put(body, mark=b"amauta-bundle-0\n", name="a" * 16 + ".age")
    forger.put(body, recipient=Hub.made(tmp_path / "other").place.recipient, name="b" * 16 + ".age")
    import pyrage

    plain = BUNDLE + forger.key.public_key().public_bytes_raw() + bytes(64) + len(body).to_bytes(8, "big") + body
    recipient = pyrage.x25519.Recipient.from_str(hub.place.recipient)
    (forger.folder / ("c" * 16 + ".age")).write_bytes(pyrage.encrypt(plain + bytes(4096 - len(plain)), [recipient]))
    assert refusals(hub, stick) == ["sealed-format", "sealed-not-ours", "sealed-unsigned"]


def test_names_links_folders_and_pipes_are_not_opened(hub: Hub, stick: Path, tmp_path: Path) -> None:
    folder = stick / "AMAUTA" / "ENTREGAS"
    forger = Forger(hub, stick, token_of(hub))
    (tmp_path / "secret").write_bytes(
        seal(BUNDLE, encode(forger.head, forger.streams), forger.key, hub.place.recipient)
    )
    (folder / ("a" * 16 + ".age")).symlink_to(tmp_path / "secret")
    (folder / ("b" * 16 + ".age")).mkdir()
    os.mkfifo(folder / ("c" * 16 + ".age"))
    (folder / "evil\x1b[2J.age").write_bytes(b"x")
    with (folder / ("e" * 16 + ".age")).open("wb") as sparse:
        sparse.truncate(10 << 30)
    (folder / ("d" * 16 + ".json")).write_text('{"files": [{"name": "../../../etc/passwd"}]}')
    (folder / ("e" * 16 + ".json")).symlink_to("/dev/zero")
    assert refusals(hub, stick) == ["file-kind", "file-kind", "file-kind", "sealed-large", "file-name"]
    assert "\x1b" not in str(hub.rows("SELECT file FROM audit"))


def test_a_device_cannot_write_under_the_name_of_another(hub: Hub, stick: Path, device: Device) -> None:
    device.practise(3)
    device.export(stick)
    hub.receive(stick)
    with Store.open(device.path) as store:
        name = store.device
    forger = Forger(hub, stick, token_of(hub))
    forger.streams = [Stream(name, (Answer(1, 5, "x", "x/1", "3", 1, 0, 20, 0),))]
    forger.put(encode(forger.head, forger.streams))
    assert sorted(outcome.state for outcome in hub.receive(stick)) == ["refused", "repeated"]
    assert hub.rows("SELECT count(*) FROM attempts") == [(3,)]
    assert hub.rows("SELECT count(*) FROM devices") == [(1,)]


def test_a_former_key_vouches_only_for_the_key_it_signed(hub: Hub, stick: Path) -> None:
    forger = Forger(hub, stick, token_of(hub))
    old, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    proof = old.sign(LINK + other.public_key().public_bytes_raw())
    forger.head = replace(forger.head, links=(Link(old.public_key().public_bytes_raw(), proof),))
    forger.put(encode(forger.head, forger.streams))
    assert refusals(hub, stick) == ["link-forged"]


def test_a_file_cut_off_without_a_receipt_is_unfinished_and_no_attack(hub: Hub, stick: Path, device: Device) -> None:
    device.practise(3)
    [name] = device.export(stick)
    folder = stick / "AMAUTA" / "ENTREGAS"
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:3000])
    assert [outcome.state for outcome in hub.receive(stick)] == ["refused"]
    next(folder.glob("*.json")).unlink()
    assert [outcome.state for outcome in hub.receive(stick)] == ["unfinished"]
    (folder / name).write_bytes(content)
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]


def test_audit_rows_stay(hub: Hub) -> None:
    hub.enrolment()
    with open_database(hub.place) as database, pytest.raises(HubError, match="append-only"), database.step():
        database.execute("DELETE FROM audit")


@pytest.mark.parametrize("skill", SKILLS)
def test_the_mistake_behind_every_wrong_option_of_an_exercise_is_found_again(skill: str) -> None:
    words = words_for("edge", "es")
    chance = random.Random(5)
    for level in range(1, LEVELS + 1):
        for _ in range(20):
            item = generate(skill, level, "es", chance)  # type: ignore[arg-type]
            for option in item.options:
                if not option.right:
                    assert words.say(f"exercise.wrong.{mistake(item.id, option.text)}") == option.feedback


@pytest.mark.parametrize(
    "item",
    [
        "x",
        "exercise/div-1/3/0",
        "exercise/fractions-1/1+1",
        "exercise/fractions-1/1/0+1/2",
        "exercise/add-1/" + "9" * 50 + "+1",
    ],
)
def test_an_item_named_anyhow_has_no_mistake(item: str) -> None:
    assert mistake(item, "3") in ("", "subtracted")


def test_two_hubs_that_are_strangers_merge_and_once_more_changes_nothing(
    tmp_path: Path, hub: Hub, stick: Path, device: Device
) -> None:
    other = Hub.made(tmp_path / "other")
    second = Device(tmp_path / "second", random.Random(3))
    second.enrol(other.enrolment("escuela-9"))
    for each, where in ((device, hub), (second, other)):
        each.practise(20)
        (tmp_path / each.home.name / "stick").mkdir()
        each.export(tmp_path / each.home.name / "stick")
        where.receive(tmp_path / each.home.name / "stick")
    with open_database(hub.place) as one, open_database(other.place) as two:
        assert (join(one, two, NOW).new, join(one, two, NOW).new, join(two, one, NOW).new) == (20, 0, 20)
    assert hub.state() == other.state()
    assert hub.rows("SELECT code FROM schools ORDER BY code") == [("escuela-1",), ("escuela-9",)]


def test_keys_are_for_the_owner_only_and_are_never_replaced(hub: Hub, tmp_path: Path) -> None:
    for name in ("keys.json", "age.txt"):
        assert (hub.place.folder / name).stat().st_mode & 0o777 == 0o600
    with pytest.raises(HubError, match="already"):
        Hub.made(hub.place.folder)
    (hub.place.folder / "keys.json").write_text("{}")
    with pytest.raises(HubError, match="damaged"):
        places.load(hub.place.folder)


def test_a_database_that_is_none_is_said(tmp_path: Path) -> None:
    place = Hub.made(tmp_path / "hub").place
    place.database.write_bytes(b"no database at all" * 500)
    with pytest.raises(HubError, match="damaged"):
        open_database(place)


def test_the_whole_way_by_verbs(tmp_path: Path, stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"AMAUTA_HOME": str(tmp_path / "office"), "AMAUTA_LANG": "es"}

    def run(*argv: str, code: int = 0) -> str:
        assert main(argv, environ) == code, capsys.readouterr().err
        return capsys.readouterr().out

    assert main(["hub", "report"], environ) == 1
    assert "amauta hub init" in capsys.readouterr().err
    assert (
        json.loads(run("hub", "init", str(tmp_path / "hub"), "--name", "Distrito 7", "--json"))["name"] == "Distrito 7"
    )
    run("hub", "enrol", "escuela 7", "--out", str(tmp_path / "e"), code=1)
    run("hub", "enrol", "escuela-7", code=1)
    text = json.loads(run("hub", "enrol", "escuela-7", "--qr", "--json"))["text"]
    device = Device(tmp_path / "device", random.Random(2))
    device.enrol(text.encode())
    device.practise(60)
    device.export(stick)
    assert json.loads(run("hub", "import", str(stick), "--json"))["new"] == 60
    assert json.loads(run("hub", "import", str(stick), "--json"))["repeated"] == 1
    assert len(json.loads(run("hub", "ack", str(stick), "--json"))["devices"]) == 1
    assert device.take_back(stick).acknowledged == 60
    assert json.loads(run("hub", "report", "--json"))["lessons"][0]["attempts"] == 60
    run("hub", "report", "--what", "devices", "--out", str(tmp_path / "r.csv"))
    rows = list(csv.reader(io.StringIO((tmp_path / "r.csv").read_text("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows] == ["escuela", "escuela-7"]
    run("hub", "init", str(tmp_path / "twin"), "--twin", str(tmp_path / "hub"))
    assert json.loads(run("hub", "merge", str(tmp_path / "hub"), "--json"))["new"] == 60
    assert "merge" in run("hub", "audit")
    (stick / "AMAUTA" / "ENTREGAS" / "foto.jpg").write_bytes(b"x")
    run("hub", "import", str(stick), code=1)
