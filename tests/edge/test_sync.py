"""What a classroom did is handed over by stick: only what may leave, only once, and nothing is lost."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cli import main
from edge.errors import EdgeError, StoreError
from edge.learning.erasure import erase, everything
from edge.learning.store import Store
from edge.settings import Settings, load
from edge.sync import ack
from edge.sync import stick as sticks
from edge.sync.bundle import Head, decode_facts, decode_head, encode, split
from edge.sync.enrolment import as_bytes, as_text, parse
from edge.sync.errors import RefusedError, SyncError
from edge.sync.facts import Answer, Erasure, Stream, Talk, harmless, pseudonym, seconds_of
from edge.sync.ledger import Ledger, States
from edge.sync.seal import BUNDLE, seal, size_class, unseal
from edge.sync.spans import spans_of, united, without
from handing import Device, Hub

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
counts = st.integers(0, 1000)


@st.composite
def streams(draw: st.DrawFn, device: str = "0123456789abcdef") -> Stream:
    def seqs(most: int) -> list[int]:
        return sorted(draw(st.sets(st.integers(1, 2**50), max_size=most)))

    who, at = st.integers(0, 2**62), st.integers(0, 2**34)
    attempts = tuple(
        Answer(seq, draw(who), (lesson := draw(texts)), draw(st.sampled_from([f"{lesson}/7+8", "/x", "=", "a", ""])), draw(texts), draw(st.integers(0, 1)), draw(counts), draw(counts), draw(at))
        for seq in seqs(4)
    )  # fmt: skip
    turns = tuple(Talk(seq, draw(who), draw(texts), "bank", draw(texts), draw(texts), draw(at)) for seq in seqs(3))
    return Stream(device, attempts, turns, tuple(Erasure(seq, draw(who), draw(at)) for seq in seqs(2)))


HEAD = Head("a" * 16, "escuela-1", bytes(16), "b" * 16, "age1x", (), (("amauta", "0.1.0"),))


@settings(max_examples=60, deadline=None)
@given(streams())
def test_what_goes_into_a_bundle_comes_out_of_it(stream: Stream) -> None:
    body = encode(HEAD, [stream])
    assert decode_head(body) == HEAD
    assert decode_facts(body) == (stream,)


@settings(max_examples=60, deadline=None)
@given(st.lists(streams(), max_size=3), st.integers(1, 9))
def test_splitting_tears_nothing_and_leaves_nothing_out(found: list[Stream], most: int) -> None:
    given_streams = [Stream(f"{place:016d}", s.attempts, s.turns, s.erased) for place, s in enumerate(found)]
    portions = list(split(given_streams, most))
    assert all(0 < sum(s.count() for s in portion) <= most for portion in portions)
    for stream in given_streams:
        for kind in ("attempts", "turns", "erased"):
            rows = [
                row for portion in portions for s in portion if s.device == stream.device for row in getattr(s, kind)
            ]
            assert tuple(rows) == getattr(stream, kind)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9))),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9))),
)
def test_spans_are_sets_of_numbers(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = ([(first, first + more) for first, more in pairs] for pairs in (one, other))

    def numbers(spans: list[tuple[int, int]]) -> set[int]:
        return {number for first, last in spans for number in range(first, last + 1)}

    assert numbers(united(left)) == numbers(left)
    assert numbers(without(left, right)) == numbers(left) - numbers(right)
    assert spans_of(sorted(numbers(left))) == united(left)


@pytest.mark.parametrize(
    ("typed", "leaves"),
    [("12", "12"), ("3/4", "3/4"), ("b", "b"), ("2,5 kg", "2,5 kg"), ("Ana María", ""), ("Lucía", ""), ("1" * 17, "")],
)
def test_what_might_be_a_name_stays_here(typed: str, leaves: str) -> None:
    assert harmless(typed) == leaves


def test_a_pseudonym_needs_the_secret_of_the_school_and_is_the_same_each_time() -> None:
    assert pseudonym(b"s" * 32, "ana") == pseudonym(b"s" * 32, "ana") != pseudonym(b"t" * 32, "ana")
    assert 0 < pseudonym(b"s" * 32, "ana") <= 2**62


def test_a_time_nobody_can_read_becomes_none() -> None:
    assert (seconds_of("2026-03-02T08:00:00.500Z"), seconds_of("2026"), seconds_of("")) == (1772438400, 0, 0)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.made(tmp_path / "hub")


@pytest.fixture
def device(tmp_path: Path, hub: Hub) -> Device:
    device = Device(tmp_path / "device", random.Random(7))
    device.enrol(hub.enrolment())
    return device


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_drafts_become_ready_delivered_and_acknowledged_and_travel_only_once(
    device: Device, hub: Hub, stick: Path
) -> None:
    device.practise(40)
    assert device.states() == States(draft=40, ready=0, delivered=0, acknowledged=0)
    device.export(stick)
    device.practise(5)
    assert device.states() == States(draft=5, ready=0, delivered=40, acknowledged=0)
    assert [outcome.new for outcome in hub.receive(stick)] == [40]
    hub.acknowledge(stick)
    assert device.take_back(stick).acknowledged == 40
    assert device.states() == States(draft=5, ready=0, delivered=0, acknowledged=40)
    assert list((stick / "AMAUTA" / "ENTREGAS").iterdir()) == []
    device.export(stick)
    assert [outcome.facts for outcome in hub.receive(stick)] == [5]
    hub.acknowledge(stick)
    device.take_back(stick)
    assert device.export(stick) == []


def test_what_was_lost_on_the_way_travels_again_and_a_second_time_does_no_harm(
    device: Device, hub: Hub, stick: Path
) -> None:
    device.practise(10)
    for name in device.export(stick):
        (stick / "AMAUTA" / "ENTREGAS" / name).unlink()
    device.export(stick)
    device.export(stick)
    assert sorted(outcome.new for outcome in hub.receive(stick)) == [0, 10]
    assert {outcome.state for outcome in hub.receive(stick)} == {"repeated"}
    assert hub.rows("SELECT count(*) FROM attempts") == [(10,)]


def test_a_hub_that_lost_its_data_gets_everything_again(device: Device, hub: Hub, stick: Path) -> None:
    for many in (10, 5):
        device.practise(many)
        device.export(stick)
        hub.receive(stick)
        hub.acknowledge(stick)
        device.take_back(stick)
    token = hub.rows("SELECT * FROM tokens")
    for path in hub.place.folder.glob("hub.db*"):
        path.unlink()
    assert token != hub.rows("SELECT * FROM tokens") == []
    device.enrol(hub.enrolment())
    assert device.export(stick) == []
    device.export(stick, everything=True)
    assert [outcome.new for outcome in hub.receive(stick)] == [15]
    assert device.states() == States(draft=0, ready=0, delivered=0, acknowledged=15)


def test_a_lost_stick_tells_no_name_and_no_count(device: Device, tmp_path: Path, stick: Path) -> None:
    with Store.open(device.path) as store:
        store.add_learner("Ñusta Quispe", "es", "ana")
    sizes = []
    for many in (1, 60):
        device.practise(many)
        folder = tmp_path / f"stick-{many}"
        folder.mkdir()
        [name] = device.export(folder)
        content = (folder / "AMAUTA" / "ENTREGAS" / name).read_bytes()
        assert b"ana" not in content
        sizes.append(len(content) // 1000)
        assert all(
            part.isalnum() and len(part) == 16
            for part in (path.stem for path in (folder / "AMAUTA" / "ENTREGAS").iterdir())
        )
    assert sizes[0] == sizes[1]


def test_names_never_leave_even_inside_the_bundle(device: Device, hub: Hub, stick: Path) -> None:
    with Store.open(device.path) as store:
        store.add_learner("Ñusta Quispe", "es", "ana")
    device.practise(20)
    [name] = device.export(stick)
    body = unseal(BUNDLE, (stick / "AMAUTA" / "ENTREGAS" / name).read_bytes(), hub.place.age).body
    [stream] = decode_facts(body)
    assert {row.learner for row in stream.attempts}.isdisjoint({0})
    assert "Quispe" not in str(stream)
    assert "'ana'" not in str(stream)


def test_chats_leave_only_when_an_adult_allowed_it(device: Device, hub: Hub, tmp_path: Path, stick: Path) -> None:
    with Store.open(device.path) as store:
        store.append_turn(
            learner="ana", question="¿Por qué llueve?", mode="bank", text="Por el agua.", lesson="x", at="2026"
        )
    assert device.export(stick) == []
    device.export(stick, turns=True)
    hub.receive(stick)
    assert hub.rows("SELECT question, text FROM turns") == [("¿Por qué llueve?", "Por el agua.")]
    assert not Settings(tmp_path).share_turns
    assert main(["sync", "chats", "on"], {"AMAUTA_HOME": str(tmp_path)}) == 0
    assert load({"AMAUTA_HOME": str(tmp_path)}).share_turns
    assert main(["sync", "chats", "off"], {"AMAUTA_HOME": str(tmp_path)}) == 0
    assert not load({"AMAUTA_HOME": str(tmp_path)}).share_turns


@pytest.mark.skipif(shutil.which("age") is None, reason="the Debian package age is not installed")
def test_the_standard_tool_opens_a_delivery_with_the_key_file_of_the_hub(device: Device, hub: Hub, stick: Path) -> None:
    device.practise(3)
    [name] = device.export(stick)
    command = ["age", "-d", "-i", str(hub.place.folder / "age.txt"), str(stick / "AMAUTA" / "ENTREGAS" / name)]
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    assert plain.startswith(BUNDLE)
    length = int.from_bytes(plain[112:120], "big")
    assert decode_head(plain[120 : 120 + length]).school == "escuela-1"


def test_a_limit_makes_more_files_none_larger_and_all_arrive(device: Device, hub: Hub, stick: Path) -> None:
    device.practise(700)
    names = device.export(stick, limit=5000)
    assert len(names) > 1
    assert all((stick / "AMAUTA" / "ENTREGAS" / name).stat().st_size <= 5000 for name in names)
    assert sum(outcome.new for outcome in hub.receive(stick)) == 700
    with pytest.raises(SyncError, match="100 bytes"):
        device.export(stick, limit=100)


def test_an_enrolment_is_the_same_as_file_and_as_text_and_nothing_else_is_one(hub: Hub) -> None:
    content = hub.enrolment()
    enrolment = parse(content)
    assert parse(as_bytes(enrolment)) == enrolment
    assert enrolment.shown == f"distrito ({enrolment.hub})"
    short = parse(as_text(enrolment).encode())
    assert short == replace(enrolment, name="")  # a QR code has no room for it
    assert parse(as_bytes(short)) == short, "as a hub wrote it that sent no name"
    assert short.shown == enrolment.hub
    assert len(as_text(enrolment)) < 230  # fits in a QR code of 53 modules
    for wrong in (b"", b"{}", b"[]", b"amauta:1:x", content.replace(b'"format": 1', b'"format": 2'), content[:-20]):
        with pytest.raises(SyncError):
            parse(wrong)
    for change in ({"hub": "0" * 16}, {"name": "x" * 81}, {"name": "a\nb"}, {"name": 3}):
        with pytest.raises(SyncError):
            parse(json.dumps(json.loads(content) | change).encode())


def test_secrets_of_the_device_are_for_its_owner_only(device: Device) -> None:
    for name in ("identity.json", "sync.json", "enrolment.json"):
        assert stat.S_IMODE((device.home / name).stat().st_mode) == 0o600, name


def test_an_enrolment_that_a_stick_brought_is_taken_up_by_itself(tmp_path: Path, hub: Hub, stick: Path) -> None:
    device = Device(tmp_path / "new", random.Random(1))
    device.home.mkdir()
    (device.home / "enrolment.json").write_bytes(hub.enrolment())
    device.practise(3)
    device.export(stick)
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]


def test_another_school_gets_what_is_done_there_under_its_own_name(device: Device, hub: Hub, stick: Path) -> None:
    device.practise(60)
    device.export(stick)
    hub.receive(stick)
    hub.acknowledge(stick)
    device.take_back(stick)
    device.enrol(hub.enrolment("escuela-2"))
    device.practise(4)
    device.export(stick)
    assert [outcome.new for outcome in hub.receive(stick)] == [4]
    sql = "SELECT code, count(*) FROM attempts JOIN streams ON streams.id = stream JOIN schools ON schools.id = school GROUP BY code"
    assert hub.rows(sql) == [("escuela-1", 60), ("escuela-2", 4)]
    assert hub.rows("SELECT count(DISTINCT learner) FROM attempts") == [(6,)]


def test_a_learner_is_forgotten_here_and_at_the_hub_also_when_old_bundles_arrive_later(
    device: Device, hub: Hub, tmp_path: Path, stick: Path
) -> None:
    with Store.open(device.path) as store:
        store.add_learner("Ana", "es", "ana")
    device.practise(30)
    late = tmp_path / "late"
    late.mkdir()
    device.export(late)
    device.practise(10)
    device.export(stick)
    hub.receive(stick)
    before = {row["seq"] for row in everything(device.path, "ana")["attempts"]}
    assert before
    erase(device.path, "ana", "2026-11-25T12:00:00Z")
    assert everything(device.path, "ana") == {"learners": [], "attempts": [], "turns": []}
    with Store.open(device.path) as store, pytest.raises(StoreError):
        store.add_learner("Ana", "es", "ana")
    device.practise(3, ("beto",))
    device.export(stick)
    hub.receive(stick)
    hub.receive(late)
    kept = {row[0] for row in hub.rows("SELECT seq FROM attempts")}
    assert kept == set(range(1, 44)) - before


def test_erasing_leaves_no_trace_in_the_file_and_no_number_is_used_twice(device: Device) -> None:
    with Store.open(device.path) as store:
        store.add_learner("Ñusta Mamani Huanca", "es", "ana")
        store.append_turn(learner="ana", question="secreto-de-ana", mode="bank", text="", lesson="", at="2026")
    device.practise(5, ("ana",))
    erase(device.path, "ana", "2026-11-25T12:00:00Z")
    assert erase(device.path, "ana", "2026-11-25T12:00:00Z").attempts == 0
    for path in device.home.iterdir():
        assert b"Mamani" not in path.read_bytes(), path.name
        assert b"secreto-de-ana" not in path.read_bytes(), path.name
    device.practise(1, ("beto",))
    with Store.open(device.path) as store:
        assert [attempt.seq for attempt in store.attempts()] == [6]


def test_nobody_else_can_be_deleted_and_the_store_still_refuses(device: Device) -> None:
    device.practise(5, ("ana", "beto"))
    erase(device.path, "ana", "2026-11-25T12:00:00Z")
    connection = sqlite3.connect(device.path)
    for table in ("attempts", "erased", "acks", "bundles"):
        if connection.execute(f"SELECT 1 FROM {table}").fetchone():
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(f"DELETE FROM {table}")
    connection.close()


def test_a_copied_device_is_found_both_are_told_and_both_are_kept(
    device: Device, hub: Hub, tmp_path: Path, stick: Path
) -> None:
    device.practise(10)
    shutil.copytree(device.home, tmp_path / "copy")
    copy = Device(tmp_path / "copy", random.Random(99))
    device.practise(5)
    copy.practise(5)
    device.export(stick)
    hub.receive(stick)
    copy.export(stick)
    assert any(outcome.cloned for outcome in hub.receive(stick))
    assert hub.rows("SELECT count(*) FROM attempts") == [(20,)]
    hub.acknowledge(stick)
    for each in (device, copy):
        taken = each.take_back(stick)
        assert (taken.cloned, taken.acknowledged) == (True, 15)
        each.renew()
        each.practise(2)
    for each in (device, copy):
        each.export(stick)
    outcomes = [outcome for outcome in hub.receive(stick) if outcome.state == "imported"]
    assert [(outcome.facts, outcome.new, outcome.cloned) for outcome in outcomes] == [(2, 2, False)] * 2
    hub.acknowledge(stick)
    assert not device.take_back(stick).cloned


def test_what_was_not_acknowledged_before_renewing_arrives_from_the_new_identity(
    device: Device, hub: Hub, stick: Path
) -> None:
    device.practise(10)
    device.renew()
    device.renew()
    device.practise(3)
    device.export(stick)
    assert [(outcome.state, outcome.new) for outcome in hub.receive(stick)] == [("imported", 13)]


def test_a_renewal_cut_in_the_middle_is_finished_at_the_next_use(device: Device, hub: Hub, stick: Path) -> None:
    device.practise(4)
    old = (device.home / "identity.json").read_bytes()
    device.renew()
    own = json.loads((device.home / "sync.json").read_bytes())
    new = json.loads((device.home / "identity.json").read_bytes())
    # As if the power had failed after the first of its three steps.
    (device.home / "sync.json").write_text(json.dumps(own | {"coming": new["private"]}))
    (device.home / "identity.json").write_bytes(old)
    device.export(stick)
    assert json.loads((device.home / "identity.json").read_bytes())["device"] == new["device"]
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]


def test_a_device_that_is_not_enrolled_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "status"], {"AMAUTA_HOME": str(tmp_path), "AMAUTA_LANG": "es"}) == 1
    assert "amauta sync enrol" in capsys.readouterr().err


def test_damaged_papers_are_refused_and_not_made_anew(device: Device) -> None:
    (device.home / "sync.json").write_text("{}")
    with Ledger(device.path) as ledger, pytest.raises(SyncError, match="damaged"):
        device.papers(ledger)


def test_a_stick_that_is_not_there_or_leads_elsewhere_is_refused(device: Device, tmp_path: Path, stick: Path) -> None:
    device.practise(1)
    with pytest.raises(SyncError, match="no folder"):
        device.export(tmp_path / "nowhere")
    (stick / "AMAUTA").symlink_to(tmp_path)
    with pytest.raises(SyncError, match="link"):
        device.export(stick)


def test_sizes_come_in_few_classes() -> None:
    assert [size_class(size) for size in (1, 4096, 4097, 70_000, 3 << 20)] == [4096, 4096, 16384, 1 << 18, 3 << 20]


def test_a_body_sealed_for_one_is_closed_to_others(hub: Hub, tmp_path: Path) -> None:
    other = Hub.made(tmp_path / "other")
    sealed = seal(BUNDLE, b"x", hub.place.key(), hub.place.recipient)
    assert unseal(BUNDLE, sealed, hub.place.age).body == b"x"
    with pytest.raises(RefusedError, match="somebody else"):
        unseal(BUNDLE, sealed, other.place.age)


def test_the_verbs_hand_over_and_take_back(
    tmp_path: Path, hub: Hub, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"AMAUTA_HOME": str(tmp_path / "home"), "AMAUTA_LANG": "es"}
    (tmp_path / "enrol.json").write_bytes(hub.enrolment())
    assert main(["sync", "enrol", str(tmp_path / "enrol.json")], environ) == 0
    Device(tmp_path / "home").practise(12)
    assert main(["sync", "export", str(stick), "--dry-run", "--json"], environ) == 0
    assert not (stick / "AMAUTA").exists()
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["facts"] == 12
    assert main(["sync", "export", str(stick)], environ) == 0
    hub.receive(stick)
    hub.acknowledge(stick)
    assert main(["sync", "import", str(stick), "--json"], environ) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["acknowledged"] == 12
    assert main(["sync", "status"], environ) == 0
    said = capsys.readouterr().out
    assert [word in said for word in ("borrador", "listo", "entregado", "acusado")] == [True] * 4
    assert main(["sync", "renew-identity", "--dry-run"], environ) == 0
    assert main(["learners", "add", "Ana"], environ) == 0
    assert main(["learners", "erase", "Ana"], environ) == 0
    assert main(["learners", "export", "Ana"], environ) == 1


def test_an_acknowledgement_of_another_hub_or_damaged_changes_nothing(
    device: Device, hub: Hub, tmp_path: Path, stick: Path
) -> None:
    device.practise(3)
    device.export(stick)
    hub.receive(stick)
    hub.acknowledge(stick)
    [path] = (stick / "AMAUTA" / "ACUSES").iterdir()
    good = path.read_bytes()
    stranger = Hub.made(tmp_path / "stranger")
    with Ledger(device.path) as ledger:
        papers = device.papers(ledger)
    recipient = papers.own.recipient
    [(digest,)] = hub.rows("SELECT digest FROM bundles")
    answer = ack.Ack(hub.place.id, papers.identity.device, (str(digest),), cloned=False)
    forged = ack.write(answer, stranger.place.key(), recipient)
    path.write_bytes(forged)
    assert [error.key for _, error in device.take_back(stick).refused] == ["ack-other-hub"]
    for wrong in (forged, good[:-1], good[:-40] + bytes(40), b"", seal(BUNDLE, b"{}", hub.place.key(), recipient)):
        path.write_bytes(wrong)
        assert len(device.take_back(stick).refused) == 1
        assert device.states().acknowledged == 0
    path.write_bytes(good)
    assert device.take_back(stick).acknowledged == 3
    assert device.take_back(stick).acknowledged == 0


def test_a_receipt_names_every_file_and_comes_last(device: Device, stick: Path) -> None:
    device.practise(700)
    names = device.export(stick, limit=5000)
    assert all(found.listed for found in sticks.found_in(stick / "AMAUTA" / "ENTREGAS"))
    [receipt] = (stick / "AMAUTA" / "ENTREGAS").glob("*.json")
    assert [each["name"] for each in json.loads(receipt.read_bytes())["files"]] == names
    assert issubclass(SyncError, EdgeError)
