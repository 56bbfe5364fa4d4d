"""A hub in PostgreSQL survives kill -9 of what imports and of the server, and a full disk: nothing kept is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.hub.database import Source, open_database
from edge.hub.errors import HubError
from edge.hub.receive import receive
from edge.sync.bundle import Head, encode
from edge.sync.enrolment import parse
from edge.sync.facts import Answer, Stream
from edge.sync.seal import BUNDLE, seal
from handing import NOW, Hub
from postgres import Server, server
from surviving import fill, killed, kills, may_mount, small_disk

DAY, MARCH = 86_400, 1_772_366_400
KILLS = kills(20)
NAME = "a" * 16


@pytest.fixture(scope="module")
def durable(postgres: Server) -> Iterator[Server]:
    """A server that waits for the disk, as a hub's does."""
    with server("shared_buffers=16MB", "log_min_messages=fatal", like=postgres) as started:
        yield started


class Office:
    """A hub and what one device hands over, portion by portion; each is acknowledged when `receive` returns."""

    def __init__(self, folder: Path, address: str, size: int = 300) -> None:
        self.hub = Hub.made(folder, address=address)
        self.size, self.given, self.kept = size, 0, 0
        self._key = Ed25519PrivateKey.generate()
        token = parse(self.hub.enrolment()).token
        self._head = Head(self.hub.place.id, "escuela-1", token, NAME, self.hub.place.recipient)
        self.waiting: list[bytes] = []

    def practise(self) -> None:
        numbers = range(self.given + 1, self.given + self.size + 1)
        rows = (Answer(n, 1 + n % 9, f"l/{n % 50}", f"item/{n}", "3", 1, 0, 20, MARCH + n * DAY // 9) for n in numbers)
        body = encode(self._head, [Stream(NAME, tuple(rows))])
        self.waiting.append(seal(BUNDLE, body, self._key, self.hub.place.recipient))
        self.given += self.size

    def take_in(self) -> None:
        """Import what waits; what came in waits no more, and is lost by nobody from now on."""
        with open_database(self.hub.place) as database:
            while self.waiting:
                receive(self.hub.place, database, self.waiting[0], "x", NOW)
                del self.waiting[0]
                self.kept += self.size

    def here(self) -> int:
        return int(str(self.hub.rows("SELECT count(*) FROM attempts")[0][0]))

    def check(self) -> None:
        """What was acknowledged is there, and each fact once."""
        assert self.kept <= self.here() <= self.given
        assert self.here() % self.size == 0
        assert self.hub.rows("SELECT coalesce(sum(facts), 0) FROM bundles") == [(self.here(),)]
        assert self.hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]
        assert self.hub.rows("SELECT count(*) FROM (SELECT DISTINCT seq FROM attempts) found") == [(self.here(),)]

    def finish(self) -> None:
        self.take_in()
        self.check()
        assert self.here() == self.given


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_of_who_imports_loses_and_doubles_nothing(tmp_path: Path, durable: Server) -> None:
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)
    office, hit, longest_s = Office(tmp_path / "hub", durable.database()), 0, 0.05
    for number in range(KILLS):
        if number % 3 == 0:
            office.practise()
        in_time = killed(office.take_in, chance.uniform(0, longest_s))
        longest_s *= 1.15 if in_time else 0.8
        hit += in_time
        if number % 10 == 9:
            office.check()
        if number % 15 == 14:
            office.finish()
    assert hit > KILLS // 4, f"seed {seed}: the kills came too late"


def kill_all(started: Server) -> None:
    """Kill the server and each of its processes at once, as a power cut does."""
    first = started.process()
    others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    for process in (first, *map(int, others)):
        os.kill(process, signal.SIGKILL)
    while any(
        Path(f"/proc/{process}/stat").exists() and not is_gone(process) for process in (first, *map(int, others))
    ):
        time.sleep(0.01)
    # A machine that starts again has no such process; here one may be listed until somebody asks how it ended.
    (started.data / "postmaster.pid").unlink(missing_ok=True)
    for lock in started.socket.glob(".s.PGSQL.*.lock"):
        lock.unlink()


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux, to find the server's processes")
def test_kill_9_of_the_whole_server_loses_and_doubles_nothing(tmp_path: Path, durable: Server) -> None:
    chance = random.Random(5)
    office, said = Office(tmp_path / "hub", durable.database()), []

    def import_all() -> None:
        try:
            office.take_in()
        except HubError as error:
            said.append(error.key)

    for _ in range(3):
        for _ in range(8):
            office.practise()
        thread = Thread(target=import_all)
        thread.start()
        time.sleep(chance.uniform(0.03, 0.25))
        kill_all(durable)
        thread.join()
        durable.start()
        office.check()
    assert said, "the kills came too late"
    assert set(said) == {"database-away"}
    office.finish()


def test_a_server_that_was_started_anew_is_asked_again_without_anybody_noticing(
    tmp_path: Path, durable: Server
) -> None:
    office = Office(tmp_path / "hub", durable.database())
    with Source(office.hub.place, most=2) as source:
        with source.open() as database:
            assert database.rows("SELECT count(*) FROM attempts") == [(0,)]
        durable.stop()
        durable.start()
        with source.open() as database:
            assert database.rows("SELECT count(*) FROM attempts") == [(0,)]
        with source.open() as database:
            durable.stop()
            with pytest.raises(HubError, match="does not answer"):
                database.rows("SELECT count(*) FROM attempts")
        with pytest.raises(HubError, match="does not answer"):
            source.open()
        durable.start()
        with source.open() as database:
            assert database.rows("SELECT count(*) FROM attempts") == [(0,)]


def test_who_waits_too_long_for_another_is_told(
    tmp_path: Path, durable: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.hub.postgres.connections.BUSY_SECONDS", 1)
    office = Office(tmp_path / "hub", durable.database())
    with open_database(office.hub.place) as one, open_database(office.hub.place) as two:
        with one.step(names=["a", "b"]), two.step(names=["c"]):
            assert two.rows("SELECT 1") == [(1,)]
        with one.step(names=["a", "b"]), pytest.raises(HubError, match="Another program"), two.step(names=["b"]):
            pass
        with two.step(names=["b"]):
            pass
        with (
            Source(office.hub.place, most=1) as source,
            source.open(),
            pytest.raises(HubError, match="Another program"),
        ):
            source.open()


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="needs root on Linux, to make a small disk")
def test_a_full_disk_is_said_and_nothing_is_lost_or_doubled(tmp_path: Path, postgres: Server) -> None:
    with TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o755)
        options = ("max_wal_size=32MB", "shared_buffers=16MB", "log_min_messages=fatal")
        with small_disk(Path(name) / "disk", 160 << 10) as disk, server(*options, like=postgres, disk=disk) as started:
            office, said = Office(tmp_path / "hub", started.database(), size=4000), set()
            for leave in range(0, 1_600_000, 400_000):
                office.practise()
                ballast = fill(disk, leave)
                try:
                    office.take_in()
                except HubError as error:
                    said.add(error.key)
                ballast.unlink()
                if not started.answers():
                    started.start()
                office.check()
            assert "hub-full" in said
            assert said <= {"hub-full", "database-away"}
            office.finish()
