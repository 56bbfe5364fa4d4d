"""Deliveries over 64 kbit/s with silences and cuts: they arrive whole, go on where they were, and count once.

Ten times faster than in life; `AMAUTA_LINE_SPEED=1` is the line itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from badline import SPEED, Line, before, chance
from edge.errors import EdgeError
from edge.sync import spool
from edge.sync.ledger import Ledger
from edge.sync.wire import client as wire
from edge.sync.wire.client import Link
from handing import NOW, Device
from served import District, hand_over, in_thread, link_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="cuts lines as Linux does")

TIMEOUT_S = 12.0
"""The device's patience with a silence, in the time of the line; in life it is a minute."""


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District.made(tmp_path, readers=False)


@pytest.fixture
def url(district: District) -> Iterator[str]:
    with in_thread(district.site) as address:
        yield address


def patient(device: Device, url: str, **more: object) -> Link:
    """A link with the patience that `amauta sync send` has, in the time of the line."""
    settings = {"timeout_s": TIMEOUT_S / SPEED, "patience_s": 900.0, "chance": chance(), **more}
    return link_of(device, url, **settings)


def sealed_by(device: Device) -> bytes:
    """The one bundle that waits in a device's spool."""
    with Ledger(device.path) as ledger:
        versions = {"amauta": "0.1.0"}
        (found,) = spool.waiting(device.home, ledger, device.papers(ledger), versions, NOW, turns=False)
        return found.sealed


def is_last_answer(piece: bytes) -> bool:
    """Tell the answer to a whole bundle, as it is on the wire, from others."""
    return piece.startswith(b"HTTP/1.1 200") and b"application/json" in piece


def nothing_twice(line: Line, length: int, breaks: int) -> None:
    """What the hub said it has is never sent again, and a break costs one portion at most."""
    asked = line.requests()
    has = 0
    for each in asked:
        assert each.method == "HEAD" or each.offset >= has
        has = max(has, each.told or 0)
    for talk in line.talks:
        assert [each.method for each in talk.requests()][:1] in ([], ["HEAD"]), "each time it asks first"
    portions = sorted((each.length for each in asked if each.method == "PATCH"), reverse=True)
    assert 0 <= line.uploaded() - length <= sum(portions[:breaks])


def test_a_delivery_over_64_kbit_with_silences_and_cuts_arrives_whole_and_nothing_goes_twice(
    url: str, district: District
) -> None:
    district.device.practise(2500)
    sealed = sealed_by(district.device)
    assert len(sealed) > 3 * wire.FIRST
    short, long = TIMEOUT_S / 3, TIMEOUT_S * 1.3
    plan = [
        (6_000, partial(Line.silence, seconds=short)),
        (24_000, Line.cut),
        (40_000, partial(Line.silence, seconds=long)),
        (60_000, Line.cut),
    ]
    with before(url, partial(Line, plan=plan)) as (there, line), patient(district.device, there) as link:
        told: list[int] = []
        sent = link.send(sealed, lambda done, total: told.append(done))
        assert not line.plan, "everything on the line happened"
        assert sent.state == "imported"
        assert told[-1] == len(sealed)
        assert told == sorted(told), "what the hub has only grows"
        assert 4 <= len(line.talks) <= 6
        nothing_twice(line, len(sealed), breaks=3)
    assert district.outcomes("import") == ["imported"]
    assert district.hub.rows("SELECT count(*), count(DISTINCT seq) FROM attempts") == [(2500, 2500)]


def test_a_silence_shorter_than_the_patience_breaks_nothing(url: str, district: District) -> None:
    district.device.practise(800)
    sealed = sealed_by(district.device)
    plan = [(at, partial(Line.silence, seconds=TIMEOUT_S / 3)) for at in (2_000, 9_000)]
    with before(url, partial(Line, plan=plan)) as (there, line), patient(district.device, there) as link:
        assert link.send(sealed).state == "imported"
        assert len(line.talks) == 1
        assert line.uploaded() == len(sealed)


def test_an_answer_that_is_lost_is_asked_for_again_and_the_bundle_counts_once(url: str, district: District) -> None:
    district.device.practise(40)
    sealed = sealed_by(district.device)
    lost: list[bytes] = []

    def lose(piece: bytes) -> bool:
        lost.extend([piece] if is_last_answer(piece) else [])
        return is_last_answer(piece) and len(lost) <= 2

    with before(url, partial(Line, per_s=1e9, lost=lose)) as (there, line), patient(district.device, there) as link:
        assert link.send(sealed).state == "imported"
        assert len(lost) == 3
        assert line.uploaded() == len(sealed), "only the answer is asked for, not one byte is sent again"
    assert district.outcomes("import") == ["imported"]
    assert district.hub.rows("SELECT count(*) FROM bundles") == [(1,)]
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(40,)]


def test_an_answer_lost_together_with_the_hubs_note_of_it_ends_as_repeated(url: str, district: District) -> None:
    district.device.practise(40)
    sealed = sealed_by(district.device)
    lost: list[bytes] = []

    def lose(piece: bytes) -> bool:
        if not is_last_answer(piece) or lost:
            return False
        lost.append(piece)
        # After some days the hub no longer remembers what it said, only what it has.
        for path in (district.site.uploads / "done").glob("*/*"):
            path.unlink()
        return True

    with before(url, partial(Line, per_s=1e9, lost=lose)) as (there, line), patient(district.device, there) as link:
        assert link.send(sealed).state == "repeated"
        assert line.uploaded() == 2 * len(sealed)
    assert district.outcomes("import") == ["imported", "repeated"]
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(40,)]


def test_two_windows_that_send_the_same_bundle_at_once_both_end_well(
    url: str, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SMALLEST", "FIRST", "LARGEST"):
        monkeypatch.setattr(wire, name, 700)
    district.device.practise(900)
    sealed = sealed_by(district.device)
    states: list[str] = []

    def send() -> None:
        with link_of(district.device, url) as link:
            states.append(link.send(sealed).state)

    windows = [threading.Thread(target=send) for _ in range(3)]
    for window in windows:
        window.start()
    for window in windows:
        window.join(60)
    assert len(states) == 3
    assert set(states) <= {"imported", "repeated"}
    assert district.hub.rows("SELECT count(*) FROM attempts") == [(900,)]


def test_a_line_that_stays_dead_ends_in_a_sentence_and_the_next_try_goes_on(url: str, district: District) -> None:
    district.device.practise(2500)
    sealed = sealed_by(district.device)

    def dead(line: Line) -> None:
        line.target = ("127.0.0.1", 1)
        line.cut()

    with before(url, partial(Line, per_s=1e9, plan=[(30_000, dead)])) as (there, line):
        waits: list[float] = []

        def told(seconds: float, reason: str) -> None:
            waits.append(seconds)

        with pytest.raises(EdgeError) as raised, patient(district.device, there, patience_s=5.0, waiting=told) as link:
            link.send(sealed)
        assert raised.value.key == "wire-lost"
        assert waits[-1] > 2 * waits[0], "the pauses grow, and somebody may be told"
        here = max(each.offset for each in line.requests())
    assert here > 0
    with before(url, partial(Line, per_s=1e9)) as (there, line):
        handed = hand_over(district.device, there)
        assert (handed.facts, handed.acknowledged) == (2500, 2500)
        assert line.uploaded() == len(sealed) - here
