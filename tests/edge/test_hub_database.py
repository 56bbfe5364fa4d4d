"""A hub's database behaves alike in SQLite and in PostgreSQL: what comes in, what is refused, who else is at work."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli import main
from edge.errors import EdgeError
from edge.hub import place as places
from edge.hub.database import Source, check_address, open_database
from edge.hub.errors import HubError
from edge.hub.join import join
from edge.hub.postgres.address import shown, without_secrets
from edge.hub.postgres.partitions import partitions_for
from edge.hub.receive import receive
from edge.hub.sqlite import plain_errors
from edge.sync.bundle import Head, encode
from edge.sync.enrolment import parse
from edge.sync.facts import Answer, Erasure, Stream, Talk, answer
from edge.sync.merge import State, merge, state_of
from edge.sync.seal import BUNDLE, seal
from handing import NOW, Device, Hub
from postgres import LOCKED_OUT, Server
from surviving import ended, fill, forked, may_mount, small_disk

MONTH = 31 * 86_400
MARCH = 1_772_366_400
NAME, OTHER = "a" * 16, "b" * 16


@pytest.fixture
def hub(tmp_path: Path, hub_database: Callable[[], str]) -> Hub:
    return Hub.made(tmp_path / "hub", address=hub_database())


class Sender:
    """A device that says what it likes, under the name it likes."""

    def __init__(self, hub: Hub, name: str = NAME, school: str = "escuela-1") -> None:
        self.hub, self.key = hub, Ed25519PrivateKey.generate()
        self.head = Head(hub.place.id, school, parse(hub.enrolment(school)).token, name, hub.place.recipient)

    def sealed(self, *streams: Stream) -> bytes:
        return seal(BUNDLE, encode(self.head, streams), self.key, self.hub.place.recipient)

    def send(self, *streams: Stream) -> int:
        with open_database(self.hub.place) as database:
            return receive(self.hub.place, database, self.sealed(*streams), "x", NOW).new


def answers(first: int, count: int, *, at: int = MARCH, apart: int = 60, who: int = 7, name: str = NAME) -> Stream:
    rows = (
        Answer(seq, who + seq % 3, f"lesson/{seq % 4}", f"item/{seq}", str(seq), seq % 2, 0, 30, at + seq * apart)
        for seq in range(first, first + count)
    )
    return Stream(name, tuple(rows))


def test_facts_of_all_times_are_kept_once_however_often_they_come(hub: Hub) -> None:
    times = (0, MARCH, MARCH + MONTH, MARCH + 12 * MONTH, 2**40, 1)
    rows = tuple(Answer(n, 5, "x", "x/1", "3", 1, 0, 20, at) for n, at in enumerate(times, 1))
    talk = Talk(1, 5, "¿por qué?", "bank", "Porque sí.", "x", MARCH)
    sender = Sender(hub)
    assert sender.send(Stream(NAME, rows[:3])) == 3
    assert sender.send(Stream(NAME, rows, (talk,))) == 4
    assert sender.send(Stream(NAME, rows[1:], (talk,), ())) == 0
    assert hub.state() == state_of([Stream(NAME, rows, (talk,))])
    assert hub.rows("SELECT count(*), sum(correct), max(at) FROM attempts") == [(6, 6, 2**40)]


def test_two_contents_under_one_name_are_both_kept_across_months(hub: Hub) -> None:
    sender = Sender(hub)
    first = answers(1, 5)
    changed = tuple(row._replace(at=row.at + 5 * MONTH) for row in first.attempts[:2])
    assert sender.send(first) == 5
    assert hub.rows("SELECT cloned FROM streams") == [(0,)]
    assert sender.send(Stream(NAME, changed)) == 2
    assert sender.send(Stream(NAME, changed + answers(3, 9).attempts)) == 6
    assert hub.rows("SELECT cloned FROM streams") == [(1,)]
    assert hub.rows("SELECT seq, copy FROM attempts WHERE copy > 0 ORDER BY seq") == [(1, 1), (2, 1)]
    assert hub.state() == state_of([answers(1, 11), Stream(NAME, changed)])


def test_what_was_erased_is_gone_from_every_month_and_does_not_come_back(hub: Hub) -> None:
    sender, second = Sender(hub), Sender(hub, OTHER)
    year = answers(1, 60, apart=MONTH // 5)
    talk = Talk(1, 8, "¿por qué?", "bank", "Porque sí.", "x", MARCH)
    sender.send(replace(year, turns=(talk,)))
    second.send(replace(year, device=OTHER))
    sender.send(Stream(NAME, (), (), (Erasure(1, 8, MARCH),)))
    second.send(answers(61, 6, name=OTHER))
    for table in ("attempts", "turns", "learners"):
        assert hub.rows(f"SELECT count(*) FROM {table} WHERE learner = 8") == [(0,)]
    assert hub.rows("SELECT count(*) FROM attempts") == [(84,)]


def test_a_refused_bundle_leaves_no_row_behind(hub: Hub) -> None:
    Sender(hub).send(answers(1, 3))
    before = hub.dump()
    with pytest.raises(EdgeError, match="numbered"):
        Sender(hub, OTHER).send(answers(1, 5, name=OTHER), answers(9, 3))
    # New words are numbered at once; they name nobody.
    kept = [row for row in hub.dump() if row not in before]
    assert hub.rows("SELECT count(*) FROM attempts") == [(3,)]
    assert all(
        (len(row) == 2 and str(row[1]).startswith("lesson/")) or row[2:3] == ("enrol",) or "" in row for row in kept
    )
    assert hub.rows("SELECT count(*) FROM devices") == hub.rows("SELECT count(*) FROM streams") == [(1,)]


def work(hub: Hub, portions: list[bytes], seed: int) -> int:
    """Take everything in, in an order of one's own."""
    order = random.Random(seed).sample(portions, len(portions))
    with open_database(hub.place) as database:
        return sum(receive(hub.place, database, sealed, "x", NOW).new for sealed in order)


def portions_of(hub: Hub) -> tuple[list[bytes], State]:
    """One device of a school nobody knows yet, with two streams and a year of months, and a second with an erasure."""
    one, two = Sender(hub), Sender(hub, OTHER, "escuela-2")
    old = Stream("c" * 16)
    found, sealed = State(), []
    for first in range(1, 40, 4):
        streams = (answers(first, 8, apart=MONTH // 3), replace(answers(first, 5, who=40), device=old.device))
        sealed.append(one.sealed(*streams))
        found = merge(found, state_of(streams))
        other = answers(first, 6, name=OTHER, who=20, apart=MONTH // 3)
        if first == 21:
            other = replace(other, erased=(Erasure(1, 21, MARCH),))
        sealed.append(two.sealed(other))
        found = merge(found, state_of([other]))
    return sealed, found


def test_threads_that_take_in_the_same_bundles_at_once_end_in_the_same_state(hub: Hub) -> None:
    portions, expected = portions_of(hub)
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda seed: work(hub, portions, seed), range(5)))
    assert hub.state() == expected
    assert hub.rows("SELECT count(*) FROM bundles") == [(len(portions),)]
    assert hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_that_take_in_the_same_bundles_at_once_end_in_the_same_state(hub: Hub) -> None:
    portions, expected = portions_of(hub)
    children = [forked(partial(work, hub, portions, seed)) for seed in range(4)]
    assert [ended(child) for child in children] == [0] * 4
    assert hub.state() == expected
    assert hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]


def test_hubs_that_are_merged_at_once_by_several_end_in_the_same_state(tmp_path: Path, hub: Hub) -> None:
    source = Hub.made(tmp_path / "source")
    portions, expected = portions_of(source)
    work(source, portions, 1)

    def merged(_: int) -> int:
        with open_database(hub.place) as database, open_database(source.place) as other:
            return join(database, other, NOW).new

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(merged, range(4))) == len(expected.facts)
    assert hub.state() == expected


def test_who_adds_to_a_stream_waits_for_who_adds_to_it_already(hub: Hub) -> None:
    Sender(hub).send(answers(1, 1))
    here, later = answers(2, 3), tuple(row._replace(at=row.at + 5 * MONTH) for row in answers(2, 3).attempts)

    def add(stream: Stream, wait_s: float = 0) -> int:
        with open_database(hub.place) as database, database.step([stream]):
            new = database.add(stream, database.stream(NAME, database.school("escuela-1")))
            time.sleep(wait_s)
            return new

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(add, here, 0.6)
        time.sleep(0.3)
        assert (first.done(), threads.submit(add, Stream(NAME, later)).result()) == (False, 3)
    assert hub.rows("SELECT seq, copy FROM attempts WHERE copy > 0 ORDER BY seq") == [(2, 1), (3, 1), (4, 1)]
    assert hub.rows("SELECT cloned FROM streams") == [(1,)]


def test_a_server_opens_it_from_many_threads_and_no_more_than_it_may(hub: Hub) -> None:
    with Source(hub.place, most=2) as source:

        def ask(number: int) -> object:
            with source.open() as database:
                return database.rows("SELECT ? + 0", [number])[0][0]

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(ask, range(40))) == list(range(40))


def test_a_revoked_device_hands_nothing_over_under_any_identity(tmp_path: Path, hub: Hub) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    device = Device(tmp_path / "device", random.Random(3))
    device.enrol(hub.enrolment())
    device.practise(3)
    device.export(stick)
    assert [outcome.state for outcome in hub.receive(stick)] == ["imported"]
    with open_database(hub.place) as database, database.step():
        assert database.execute("UPDATE devices SET revoked = ?", [NOW]) == 1
    for renewed in (False, True):
        if renewed:
            device.renew()
        device.practise(2)
        device.export(stick)
        said = {outcome.error.key for outcome in hub.receive(stick) if outcome.error}
        assert said == {"device-revoked"}
    assert hub.rows("SELECT count(*) FROM attempts") == [(3,)]


def test_a_revocation_travels_with_a_merge(tmp_path: Path, hub: Hub) -> None:
    Sender(hub).send(answers(1, 3))
    twin = Hub.made(tmp_path / "twin", hub)
    with open_database(hub.place) as one, open_database(twin.place) as two:
        join(two, one, NOW)
        with one.step():
            one.execute("UPDATE devices SET revoked = ?", [NOW])
        join(two, one, NOW)
    assert twin.rows("SELECT revoked FROM devices") == [(NOW,)]


def test_who_asks_for_a_zero_character_finds_nothing(hub: Hub) -> None:
    hub.enrolment()
    with open_database(hub.place) as database:
        assert database.rows("SELECT 1 FROM schools WHERE code = ?", ["escuela-1\0"]) == []


def test_no_zero_character_leaves_a_device() -> None:
    assert answer((1, "x\0", "x/\0a", "3\0", True, 0, 1, NOW, ""), 5)[2:5] == ("x", "x/a", "3")


@pytest.mark.skipif(not may_mount(), reason="needs root on Linux, to make a small disk")
def test_a_disk_without_room_is_called_full_wherever_sqlite_meets_its_end(tmp_path: Path) -> None:
    said = set()
    with small_disk(tmp_path / "disk", 2048) as disk:
        hub = Hub.made(disk / "hub")
        sender = Sender(hub)
        for number in range(30):
            ballast = fill(disk, number * 4096)
            try:
                sender.send(answers(1 + 50 * number, 50))
            except HubError as error:
                said.add(error.key)
            ballast.unlink()
        assert said == {"hub-full"}
        before = hub.rows("SELECT count(*) FROM attempts")
        assert sender.send(answers(1, 1500)) + int(str(before[0][0])) == 1500


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("SQLITE_FULL", "hub-full"),
        ("SQLITE_IOERR_TRUNCATE", "hub-full"),
        ("SQLITE_IOERR_READ", "hub-broken"),
        ("SQLITE_BUSY_SNAPSHOT", "hub-busy"),
    ],
)
def test_what_sqlite_says_becomes_a_sentence(tmp_path: Path, name: str, key: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    with pytest.raises(HubError) as raised, plain_errors(tmp_path / "hub.db"):
        raise error
    assert raised.value.key == key


VERSION_1 = """
CREATE TABLE schools (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE tokens (hash TEXT PRIMARY KEY, school INTEGER NOT NULL, made TEXT NOT NULL, revoked TEXT NOT NULL DEFAULT '');
CREATE TABLE devices (
    id TEXT PRIMARY KEY, public BLOB NOT NULL, school INTEGER NOT NULL, recipient TEXT NOT NULL,
    stream TEXT NOT NULL, heard TEXT NOT NULL, versions TEXT NOT NULL, after TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, school INTEGER NOT NULL, cloned INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE writers (stream INTEGER NOT NULL, device TEXT NOT NULL, PRIMARY KEY (stream, device)) WITHOUT ROWID;
CREATE TABLE bundles (digest TEXT PRIMARY KEY, device TEXT NOT NULL, facts INTEGER NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE attempts (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL,
    lesson INTEGER NOT NULL, item TEXT NOT NULL, given TEXT NOT NULL, right INTEGER NOT NULL,
    hints INTEGER NOT NULL, tenths INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE TABLE turns (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL,
    question TEXT NOT NULL, mode INTEGER NOT NULL, text TEXT NOT NULL, lesson INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE TABLE erased (
    stream INTEGER NOT NULL, seq INTEGER NOT NULL, copy INTEGER NOT NULL, learner INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (stream, seq, copy)
) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, deed TEXT NOT NULL, file TEXT NOT NULL,
    device TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
);
INSERT INTO schools VALUES (1, 'escuela-1');
INSERT INTO words VALUES (1, 'x');
INSERT INTO streams VALUES (1, 'aaaaaaaaaaaaaaaa', 1, 0);
INSERT INTO attempts VALUES (1, 1, 0, 5, 1, 'x/1', '3', 1, 0, 20, 0), (1, 2, 0, 6, 1, 'x/2', '4', 0, 0, 20, 0);
PRAGMA user_version = 1;
"""


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    hub = Hub.made(tmp_path / "hub")
    connection = sqlite3.connect(hub.place.database)
    connection.executescript(VERSION_1)
    connection.close()
    rows = (Answer(1, 5, "x", "x/1", "3", 1, 0, 20, 0), Answer(2, 6, "x", "x/2", "4", 0, 0, 20, 0))
    assert hub.state() == state_of([Stream(NAME, rows)])
    assert Sender(hub).send(Stream(NAME, (), (), (Erasure(1, 5, 9),))) == 1
    assert hub.rows("SELECT learner, correct FROM attempts") == [(6, 0)]
    connection = sqlite3.connect(hub.place.database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(HubError, match="newer"):
        open_database(hub.place)


def test_moving_from_one_file_to_postgresql_by_verbs(
    tmp_path: Path, postgres: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"AMAUTA_HOME": str(tmp_path / "office"), "AMAUTA_LANG": "es"}
    old = Hub.made(tmp_path / "old")
    Sender(old).send(answers(1, 50, apart=MONTH // 10))
    address = postgres.database()
    new = str(tmp_path / "new")
    assert main(["hub", "init", new, "--twin", str(old.place.folder), "--database", address], environ) == 0
    assert (tmp_path / "new" / places.ADDRESS).stat().st_mode & 0o777 == 0o600
    assert main(["hub", "merge", str(old.place.folder), "--json"], environ) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 50
    moved = Hub(places.load(tmp_path / "new"))
    assert moved.state() == old.state()
    assert moved.rows("SELECT digest FROM bundles") == old.rows("SELECT digest FROM bundles")
    assert main(["hub", "report", "--json"], environ) == 0
    assert address not in repr(moved.place)
    assert not (tmp_path / "new" / places.DATABASE).exists()


def test_an_address_shows_no_password() -> None:
    address = "postgresql://maria:se%40creto@[::1]:5433/amauta?sslmode=require&password=otra"
    assert shown(address) == "postgresql://maria@[::1]:5433/amauta"
    assert shown("postgresql:///amauta") == "postgresql:///amauta"
    assert "se@creto" not in without_secrets('no: "se@creto"', "postgresql://maria:se%40creto@host/x")


def refused(address: str, hub: str = "") -> str:
    with pytest.raises(HubError) as raised:
        check_address(address, hub)
    for lang in ("es", "pt", "en"):
        said = raised.value.say(lang)
        assert "secreto" not in said
        assert len(said.splitlines()) == 2
    return raised.value.key


def test_a_database_that_cannot_be_used_is_said_and_no_hub_is_made(
    tmp_path: Path, postgres: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(postgres.address(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {LOCKED_OUT} LOGIN PASSWORD 'secreto'")
        connection.execute("CREATE DATABASE latin ENCODING SQL_ASCII TEMPLATE template0")
    socket = postgres.address().partition("?")[2]
    assert refused("mysql://maria:secreto@x/y") == "database-address"
    assert refused("postgresql://maria:secreto@[x/y?secreto") == "database-address"
    assert refused("postgresql://maria:secreto@127.0.0.1:1/y") == "database-away"
    assert refused(f"postgresql://{LOCKED_OUT}:secreto-no@/postgres?{socket}") == "database-password"
    assert refused(f"postgresql://nadie:secreto@/postgres?{socket}") == "database-password"
    assert refused(f"postgresql://postgres:secreto@/nada?{socket}") == "database-missing"
    assert refused(f"postgresql://postgres:secreto@/latin?{socket}") == "database-encoding"
    assert refused(f"postgresql://{LOCKED_OUT}:secreto@/postgres?{socket}") == "database-rights"
    used = Hub.made(tmp_path / "used", address=postgres.database())
    used.enrolment()
    assert refused(used.place.address) == "database-other-hub"
    check_address(used.place.address, used.place.id)
    environ = {"AMAUTA_HOME": str(tmp_path / "office"), "AMAUTA_LANG": "es"}
    assert main(["hub", "init", str(tmp_path / "new"), "--database", used.place.address], environ) == 1
    assert "otro centro" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_tables_of_another_program_are_left_alone(tmp_path: Path, postgres: Server) -> None:
    hub = Hub.made(tmp_path / "hub", address=postgres.database())
    with psycopg.connect(hub.place.address, autocommit=True) as connection:
        connection.execute("CREATE TABLE words (id INTEGER)")
    with pytest.raises(HubError, match="another program"):
        open_database(hub.place)


def test_a_newer_database_is_not_touched(tmp_path: Path, postgres: Server) -> None:
    hub = Hub.made(tmp_path / "hub", address=postgres.database())
    hub.enrolment()
    with psycopg.connect(hub.place.address, autocommit=True) as connection:
        connection.execute("UPDATE amauta SET version = 99")
    with pytest.raises(HubError, match="newer"):
        open_database(hub.place)


def test_audit_rows_cannot_be_changed_deleted_or_emptied(tmp_path: Path, postgres: Server) -> None:
    hub = Hub.made(tmp_path / "hub", address=postgres.database())
    hub.enrolment()
    for deed in ("UPDATE audit SET detail = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with open_database(hub.place) as database, pytest.raises(HubError, match="append-only"), database.step():
            database.execute(deed)


def test_each_month_is_a_partition_and_no_clock_makes_more_than_two_others(tmp_path: Path, postgres: Server) -> None:
    hub = Hub.made(tmp_path / "hub", address=postgres.database())
    times = (0, 5, MARCH, MARCH + MONTH, 2**40, 2**39)
    Sender(hub).send(Stream(NAME, tuple(Answer(n, 5, "x", "x/1", "3", 1, 0, 20, at) for n, at in enumerate(times, 1))))
    found = hub.rows(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'attempts'::regclass"
    )
    names = {"attempts_before", "attempts_2026_03", "attempts_2026_04", "attempts_after"}
    assert {name for (name,) in found} == names
    assert len(partitions_for("attempts", range(0, 2**32, 86_400))) == 20 * 12 + 2
