"""Any order, repetition, split, interleaving and loss among five devices and two hubs ends in the same state."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.hub.database import open_database
from edge.hub.join import join
from edge.learning.erasure import erase
from edge.sync.bundle import split
from edge.sync.facts import Answer, Erasure, Stream
from edge.sync.ledger import Ledger
from edge.sync.merge import State, cloned, merge, state_of
from handing import NOW, Device, Hub, quick_folder

DEVICES = 5
SCHEDULES = 10_000
REAL_SCHEDULES = 12

rows = st.builds(Answer, st.integers(1, 3), st.integers(1, 4), st.just("x"), st.just("x/1"), st.sampled_from("ab"), st.just(1), st.just(0), st.just(0), st.just(0))  # fmt: skip
gone = st.builds(Erasure, st.integers(1, 3), st.integers(1, 4), st.just(0))
stream = st.builds(
    lambda device, attempts, erased: Stream(device, tuple(attempts), (), tuple(erased)),
    st.sampled_from("ab"),
    st.lists(rows, max_size=4),
    st.lists(gone, max_size=1),
)
states = st.lists(stream, max_size=3).map(state_of)


@settings(max_examples=100, deadline=None)
@given(states, states, states)
def test_merging_is_a_union(one: State, two: State, three: State) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one
    assert merge(merge(one, two), two) == merge(one, two)


def test_two_contents_under_one_name_are_both_kept_and_seen() -> None:
    def said(given: str, device: str) -> Stream:
        return Stream(device, (Answer(1, 5, "x", "x/1", given, 1, 0, 0, 0),))

    both = merge(state_of([said("3", "a")]), state_of([said("4", "a"), said("4", "b")]))
    assert (len(both.facts), cloned(both)) == (3, {"a"})


@dataclass(slots=True)
class Pupil:
    """A device, as far as handing over goes: what it did and what was acknowledged."""

    name: str
    attempts: dict[int, Answer] = field(default_factory=dict)
    erased: dict[int, Erasure] = field(default_factory=dict)
    acknowledged: set[tuple[str, int]] = field(default_factory=set)
    last: int = 0

    def act(self, chance: random.Random) -> None:
        if chance.random() < 0.05 and self.attempts:
            who = chance.choice(list(self.attempts.values())).learner
            self.erased[len(self.erased) + 1] = Erasure(len(self.erased) + 1, who, 0)
            self.attempts = {seq: row for seq, row in self.attempts.items() if row.learner != who}
        forgotten = {row.learner for row in self.erased.values()}
        for _ in range(chance.randint(1, 3)):
            self.last += 1
            if (who := chance.randint(1, 4)) not in forgotten:
                self.attempts[self.last] = Answer(self.last, who, "x", "x/1", str(chance.random()), 1, 0, 0, 0)

    def unacknowledged(self) -> Stream:
        return Stream(
            self.name,
            tuple(row for seq, row in sorted(self.attempts.items()) if ("attempts", seq) not in self.acknowledged),
            (),
            tuple(row for seq, row in sorted(self.erased.items()) if ("erased", seq) not in self.acknowledged),
        )

    def take(self, bundle: Iterable[Stream]) -> None:
        for part in bundle:
            if part.device == self.name:
                self.acknowledged |= {("attempts", row.seq) for row in part.attempts}
                self.acknowledged |= {("erased", row.seq) for row in part.erased}


def learners_apart(pupils: list[Pupil]) -> None:
    """Learners of different devices are different people."""
    for place, pupil in enumerate(pupils):
        pupil.attempts = {
            seq: row._replace(learner=row.learner % 10 + 10 * place) for seq, row in pupil.attempts.items()
        }
        pupil.erased = {seq: row._replace(learner=row.learner % 10 + 10 * place) for seq, row in pupil.erased.items()}


def run_schedule(chance: random.Random) -> None:
    """Let bundles and acknowledgements wander as they like, then let everything arrive."""
    pupils = [Pupil(name) for name in "abcde"[:DEVICES]]
    hubs = [State(), State()]
    under_way: list[tuple[int, tuple[Stream, ...]]] = []
    for _ in range(chance.randint(5, 25)):
        deed, who, where = chance.random(), chance.randrange(DEVICES), chance.randrange(2)
        if deed < 0.35:
            pupils[who].act(chance)
            learners_apart(pupils)
        elif deed < 0.6:
            most = chance.randint(1, 6)
            under_way += [(who, part) for part in split([pupils[who].unacknowledged()], most)]
        elif deed < 0.9 and under_way:
            sender, bundle = under_way[place := chance.randrange(len(under_way))]
            hubs[where] = merge(hubs[where], state_of(bundle))
            if chance.random() < 0.5:  # Else it lies there still, and may arrive again.
                del under_way[place]
            if chance.random() < 0.5:  # Else the acknowledgement is lost.
                pupils[sender].take(bundle)
        elif deed < 0.95 and under_way:
            del under_way[chance.randrange(len(under_way))]
        else:
            hubs[where] = merge(*hubs)
    chance.shuffle(pupils)
    for pupil in pupils:
        place = chance.randrange(2)
        hubs[place] = merge(hubs[place], state_of([pupil.unacknowledged()]))
    for _, bundle in under_way:
        place = chance.randrange(2)
        hubs[place] = merge(hubs[place], state_of(bundle))
    told = merge(*hubs)
    everything = [Stream(p.name, tuple(p.attempts.values()), (), tuple(p.erased.values())) for p in pupils]
    assert told == merge(hubs[1], hubs[0]) == state_of(everything)


@pytest.mark.slow
def test_ten_thousand_schedules_end_as_if_nothing_had_happened_on_the_way() -> None:
    seed = random.SystemRandom().randrange(10**9)
    for number in range(SCHEDULES):
        try:
            run_schedule(random.Random(seed + number))
        except AssertionError as error:
            raise AssertionError(f"seed {seed + number}") from error


class School:
    """Five devices, two twin hubs (the second perhaps in PostgreSQL) and any number of sticks, all real."""

    def __init__(self, folder: Path, seed: int, address: str) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        first = Hub.made(folder / "hub-0")
        self.hubs = [first, Hub.made(folder / "hub-1", first, address)]
        enrolment = first.enrolment()
        self.join(1, 0)
        self.devices = [Device(folder / f"device-{place}", random.Random(seed + place)) for place in range(DEVICES)]
        for device in self.devices:
            device.enrol(enrolment)
        self.sticks: list[Path] = []

    def join(self, into: int, other: int) -> None:
        with open_database(self.hubs[into].place) as one, open_database(self.hubs[other].place) as two:
            join(one, two, NOW)

    def stick(self) -> Path:
        if not self.sticks or self.chance.random() < 0.4:
            self.sticks.append(self.folder / f"stick-{self.chance.randrange(10**12)}")
            self.sticks[-1].mkdir()
        return self.chance.choice(self.sticks)

    def act(self) -> None:
        chance = self.chance
        place = chance.randrange(DEVICES)
        device, hub, deed = self.devices[place], self.hubs[chance.randrange(2)], chance.random()
        if deed < 0.3:
            left = [name for name in ("ana", "beto", "cira") if name not in self.gone(device)]
            device.practise(chance.randint(1, 8), tuple(f"{name}-{place}" for name in left) or (f"dora-{place}",))
        elif deed < 0.5:
            device.export(self.stick(), most=chance.randint(1, 20))
        elif deed < 0.7:
            assert {outcome.state for outcome in hub.receive(self.stick())} <= {"imported", "repeated"}
        elif deed < 0.78:
            hub.acknowledge(self.stick())
        elif deed < 0.86:
            assert not device.take_back(self.stick()).refused
        elif deed < 0.9:
            erase(device.path, f"{chance.choice(('ana', 'beto'))}-{place}", NOW)
        elif deed < 0.94 and self.sticks:
            shutil.rmtree(self.sticks.pop(chance.randrange(len(self.sticks))))
        elif deed < 0.97:
            shutil.copytree(self.stick(), self.folder / f"copy-{chance.randrange(10**12)}")
        else:
            self.join(chance.randrange(2), chance.randrange(2))

    def gone(self, device: Device) -> set[str]:
        import sqlite3

        with Ledger(device.path):
            connection = sqlite3.connect(device.path)
            found = {name.split("-")[0] for (name,) in connection.execute("SELECT learner FROM erased")}
            connection.close()
            return found

    def expected(self) -> State:
        found = State()
        for device in self.devices:
            with Ledger(device.path) as ledger:
                secret = device.papers(ledger).own.secret
                found = merge(found, state_of(ledger.unacknowledged("nobody", secret, turns=True)))
        return found


@pytest.mark.slow
def test_real_devices_sticks_and_hubs_end_in_the_same_state_too(
    tmp_path: Path, hub_database: Callable[[], str]
) -> None:
    seed = random.SystemRandom().randrange(10**9)
    with quick_folder(tmp_path) as quick:
        for number in range(REAL_SCHEDULES):
            address = hub_database()
            run_for_real(quick / str(number), number, seed + number, address)
            if address and number == REAL_SCHEDULES // 4:
                break


def run_for_real(folder: Path, number: int, seed: int, address: str) -> None:
    school = School(folder, seed, address)
    for _ in range(25):
        school.act()
    last = school.stick()
    for device in school.devices:
        device.export(last)
    school.hubs[number % 2].receive(last)
    school.join(0, 1)
    school.join(1, 0)
    assert school.hubs[0].state() == school.hubs[1].state() == school.expected(), f"seed {seed}"
    assert cloned(school.expected()) == set()
    assert school.hubs[0].rows("SELECT count(*) FROM streams WHERE cloned = 1") == [(0,)]
    shutil.rmtree(folder)
