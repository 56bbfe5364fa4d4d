"""Many bundles are kept in one step: each is judged by itself, and kill -9 at any instant loses and doubles nothing."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.hub import receive as receiving
from edge.hub.database import open_database
from edge.hub.errors import HubError
from edge.hub.group import Outcome
from edge.hub.receive import receive, receive_stick
from edge.sync.bundle import Head, Link, encode
from edge.sync.enrolment import parse
from edge.sync.errors import RefusedError
from edge.sync.facts import Answer, Erasure, Stream
from edge.sync.merge import state_of
from edge.sync.papers import LINK
from edge.sync.seal import BUNDLE, seal
from edge.sync.stick import Found
from handing import NOW, Hub
from surviving import killed, kills

DAY, MARCH = 86_400, 1_772_366_400
NAME, OTHER = "a" * 16, "b" * 16


@dataclass
class Post:
    """A hub, and a stick on which bundles lie in the order in which they were put there."""

    hub: Hub
    folder: Path
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)

    @classmethod
    def made(cls, folder: Path, address: str) -> Post:
        post = cls(Hub.made(folder / "hub", address=address), folder / "stick" / "AMAUTA" / "ENTREGAS")
        post.folder.mkdir(parents=True)
        for number, name in enumerate((NAME, OTHER)):
            school = f"escuela-{number}"
            token = parse(post.hub.enrolment(school)).token
            post.keys[name] = Ed25519PrivateKey.generate()
            post.heads[name] = Head(post.hub.place.id, school, token, name, post.hub.place.recipient)
        return post

    def sealed(self, body: bytes, name: str = NAME) -> bytes:
        return seal(BUNDLE, body, self.keys[name], self.hub.place.recipient)

    def put(self, *streams: Stream, name: str = NAME) -> bytes:
        return self.lay(self.sealed(encode(self.heads[name], streams), name))

    def lay(self, content: bytes) -> bytes:
        number = len(list(self.folder.iterdir()))
        (self.folder / f"{number:016}.age").write_bytes(content)
        return content

    def receive(self) -> list[Outcome]:
        return self.hub.receive(self.folder.parent.parent)

    def states(self) -> list[str]:
        return [outcome.state for outcome in self.receive()]

    def count(self, table: str = "attempts") -> int:
        return int(str(self.hub.rows(f"SELECT count(*) FROM {table}")[0][0]))


@pytest.fixture
def post(tmp_path: Path, hub_database: Callable[[], str]) -> Post:
    return Post.made(tmp_path, hub_database())


def answers(first: int, count: int, name: str = NAME, *, given: str = "3", apart: int = 60) -> Stream:
    rows = (
        Answer(n, 1 + n % 7, f"l/{n % 5}", f"item/{n}", given, n % 2, 0, 30, MARCH + n * apart)
        for n in range(first, first + count)
    )
    return Stream(name, tuple(rows))


def test_a_bundle_that_is_refused_takes_no_other_of_its_group_with_it(post: Post) -> None:
    post.put(answers(1, 5))
    whole = post.put(answers(6, 5))
    post.lay(whole[:-20])
    post.heads["s"] = replace(post.heads[NAME], token=bytes(16))
    post.keys["s"] = Ed25519PrivateKey.generate()
    post.put(answers(11, 5), name="s")
    post.put(answers(1, 9, OTHER), answers(11, 5), name=OTHER)
    post.lay(post.sealed(encode(post.heads[NAME], [answers(16, 5)])[:-8]))
    post.put(answers(50, 5, OTHER), name=OTHER)
    post.lay(whole)
    outcomes = post.receive()
    # Without a receipt a file that ends too early is nobody's attack.
    assert [(each.state, each.error.key if each.error else "", each.new) for each in outcomes] == [
        ("imported", "", 5),
        ("imported", "", 5),
        ("unfinished", "sealed-damaged", 0),
        ("refused", "token-unknown", 0),
        ("refused", "stream-foreign", 0),
        ("refused", "bundle-broken", 0),
        ("imported", "", 5),
        ("repeated", "", 0),
    ]
    assert post.hub.state() == state_of([answers(1, 10), answers(50, 5, OTHER)])
    audited = post.hub.rows("SELECT file, outcome FROM audit WHERE deed = 'import' ORDER BY id")
    assert audited == [(outcome.file, outcome.state) for outcome in outcomes]
    assert post.hub.rows("SELECT count(DISTINCT digest), sum(facts) FROM bundles") == [(3, 15)]
    assert [post.count(table) for table in ("devices", "streams", "writers")] == [2, 2, 2]


def test_the_same_group_once_more_changes_nothing(post: Post) -> None:
    for week in range(6):
        post.put(answers(1 + week * 10, 10), answers(1 + week * 3, 3, "c" * 16))
        post.put(answers(1 + week * 5, 5, OTHER), name=OTHER)
    assert [(outcome.state, outcome.new) for outcome in post.receive()] == [("imported", 13), ("imported", 5)] * 6
    before = [post.hub.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("attempts", "bundles", "learners")]
    assert post.states() == ["repeated"] * 12
    assert before == [
        post.hub.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("attempts", "bundles", "learners")
    ]


def test_bundles_of_one_device_that_say_the_same_in_part_count_each_fact_once(post: Post) -> None:
    post.put(answers(1, 10))
    assert [outcome.new for outcome in post.receive()] == [10]
    for first, count in ((8, 5), (11, 10), (5, 30), (40, 2)):
        post.put(answers(first, count, apart=DAY))
    expected = [answers(1, 10), *(answers(first, count, apart=DAY) for first, count in ((8, 5), (5, 30), (40, 2)))]
    assert sum(outcome.new for outcome in post.receive()) == len(state_of(expected).facts) - 10
    assert post.hub.state() == state_of(expected)


def test_a_cloned_device_is_found_when_both_come_in_one_group(post: Post) -> None:
    one, two = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    old = post.keys[NAME]
    post.put(answers(1, 5))
    post.put(answers(6, 5))
    # Both come after the device that was copied, and number on from where it was.
    for key, name, given in ((one, "d" * 16, "4"), (two, "e" * 16, "5")):
        link = Link(old.public_key().public_bytes_raw(), old.sign(LINK + key.public_key().public_bytes_raw()))
        post.keys[name], post.heads[name] = key, replace(post.heads[NAME], stream=name, links=(link,))
        post.put(answers(9, 4, given=given), answers(1, 2, name), name=name)
    post.put(answers(9, 4, given="6"))
    post.put(answers(1, 3, OTHER), name=OTHER)
    outcomes = post.receive()
    assert [(outcome.new, outcome.cloned) for outcome in outcomes] == [
        (5, True), (5, True), (6, False), (6, False), (4, True), (3, False)
    ]  # fmt: skip
    assert post.hub.rows("SELECT seq, count(*) FROM attempts WHERE copy > 0 GROUP BY seq ORDER BY seq") == [
        (9, 3), (10, 3), (11, 2), (12, 2)
    ]  # fmt: skip
    assert post.hub.rows("SELECT name FROM streams WHERE cloned = 1") == [(NAME,)]
    assert post.count("devices") == 4


def test_who_is_erased_in_a_group_is_gone_from_all_of_it_and_from_what_was_here(post: Post) -> None:
    post.put(answers(1, 20))
    post.receive()
    post.put(answers(21, 20))
    post.put(Stream(OTHER, answers(1, 20, OTHER).attempts, (), (Erasure(1, 3, MARCH),)), name=OTHER)
    post.put(answers(41, 20))
    post.receive()
    said = [answers(1, 60), Stream(OTHER, answers(1, 20, OTHER).attempts, (), (Erasure(1, 3, MARCH),))]
    assert post.hub.state() == state_of(said)
    for table in ("attempts", "learners"):
        assert post.hub.rows(f"SELECT count(*) FROM {table} WHERE learner = 3") == [(0,)]


@pytest.mark.parametrize("seed", range(3))
def test_in_groups_of_any_size_the_end_is_what_the_union_says(
    post: Post, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(receiving, "FILES_AT_ONCE", chance.randint(2, 9))
    monkeypatch.setattr(receiving, "FACTS_AT_ONCE", chance.randint(5, 60))
    said = []
    for _ in range(25):
        name = chance.choice((NAME, OTHER))
        stream = answers(chance.randint(1, 60), chance.randint(1, 12), name, apart=chance.choice((60, DAY)))
        if chance.random() < 0.1:
            stream = replace(stream, erased=(Erasure(chance.randint(1, 9), chance.randint(1, 7), MARCH),))
        post.put(stream, name=name)
        said.append(stream)
    new = sum(outcome.new for outcome in post.receive())
    assert post.hub.state() == state_of(said)
    assert post.count() + post.count("erased") == len(state_of(said).facts) <= new
    assert post.hub.rows("SELECT sum(facts) FROM bundles") == [(sum(stream.count() for stream in said),)]


def test_what_the_database_does_not_take_keeps_out_nobody_before_it(tmp_path: Path) -> None:
    post = Post.made(tmp_path, "")
    with open_database(post.hub.place):
        connection = sqlite3.connect(post.hub.place.database)
    # As a disk does that has room for some.
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON attempts WHEN NEW.seq = 25 BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    for first in (1, 11, 21, 31):
        post.put(answers(first, 10))
    with pytest.raises(HubError, match="full"):
        post.receive()
    assert post.count() == 20
    connection.execute("DROP TRIGGER full")
    connection.close()
    assert post.states() == ["repeated", "repeated", "imported", "imported"]


def test_a_bundle_under_more_names_than_any_device_has_is_refused(post: Post) -> None:
    post.put(*(answers(1, 1, f"{number:016}") for number in range(1001)))
    post.put(*(answers(1, 1, f"{number:016}") for number in range(600)))
    assert post.states() == ["refused", "imported"]
    assert (post.count("streams"), post.count()) == (600, 600)


def test_a_large_file_is_opened_alone_and_small_ones_together() -> None:
    sizes = [1, 1, 9 << 20, 1, 5 << 20, 5 << 20, *[1] * 150]
    files = [Found(Path(f"{number}"), size, listed=True) for number, size in enumerate(sizes)]
    together = list(receiving._together(files))
    assert [len(some) for some in together] == [2, 1, 2, 100, 51]
    assert [found for some in together for found in some] == files


def import_and_tell(post: Post, told: Path) -> None:
    """Take in what lies on the stick; write down outside of the hub what was said to be kept."""
    with open_database(post.hub.place) as database, told.open("a") as file:
        for outcome in receive_stick(post.hub.place, database, post.folder.parent.parent, NOW):
            file.write(f"{outcome.file} {outcome.state}\n")
            file.flush()


KILLS = kills(12)
SIZE, TOGETHER = 40, 6
"""Facts in a bundle, and bundles in a group."""

ALL_AT_ONCE = (
    "SELECT (SELECT count(*) FROM attempts), (SELECT CAST(coalesce(sum(facts), 0) AS BIGINT) FROM bundles), "
    "(SELECT count(DISTINCT file) FROM audit WHERE outcome = 'imported')"
)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_within_a_group_keeps_all_of_it_or_nothing(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "FACTS_AT_ONCE", SIZE * TOGETHER)
    monkeypatch.setattr(receiving, "FILES_AT_ONCE", 30 * KILLS)
    seed = random.SystemRandom().randrange(10**9)
    chance, told = random.Random(seed), tmp_path / "told"
    given, hits, longest_s = 0, 0, 0.1
    for number in range(KILLS):
        if number % 4 == 0:
            for _ in range(5 * TOGETHER):
                name = chance.choice((NAME, OTHER))
                post.put(answers(1 + given, SIZE, name), name=name)
                given += SIZE
        at_it = killed(lambda: import_and_tell(post, told), chance.uniform(0, longest_s))
        longest_s *= 1.1 if at_it else 0.8
        hits += at_it
        told_of = {line.split()[0] for line in told.read_text().splitlines()} if told.exists() else set()
        # As of one moment: a server may still be at what its client was killed in.
        [(here, listed, audited)] = post.hub.rows(ALL_AT_ONCE)
        assert len(told_of) * SIZE <= here <= given, f"seed {seed}"  # type: ignore[operator]
        assert here % (SIZE * TOGETHER) == 0, f"seed {seed}"  # type: ignore[operator]
        assert here == listed == audited * SIZE, f"seed {seed}"  # type: ignore[operator]
    import_and_tell(post, told)
    assert post.count() == given
    assert post.hub.rows("SELECT count(*) FROM attempts WHERE copy > 0") == [(0,)]
    assert post.hub.rows("SELECT count(*) FROM audit WHERE outcome = 'imported'") == [(given // SIZE,)]
    assert hits > KILLS // 6, f"seed {seed}: the kills came too late"


def test_one_bundle_alone_is_refused_without_a_trace(post: Post) -> None:
    post.put(answers(1, 5))
    post.receive()
    before = post.hub.dump()
    sealed = post.sealed(encode(post.heads[OTHER], [answers(7, 5), answers(1, 5, OTHER)]), OTHER)
    with open_database(post.hub.place) as database, pytest.raises(RefusedError, match="numbered"):
        receive(post.hub.place, database, sealed, "x", NOW)
    assert post.hub.dump() == before
