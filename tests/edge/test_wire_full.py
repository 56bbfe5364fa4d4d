"""A hub whose disk is really full says so, takes nothing it cannot keep, and goes on where it was once there is room."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.hub.serve.uploads import Bounds
from edge.sync.wire.client import Chance
from handing import Device
from served import District, ask, hand_over, in_thread
from surviving import fill, may_mount, small_disk

pytestmark = pytest.mark.skipif(not may_mount(), reason="needs root on Linux, to make a small disk")

DISK_KB = (Bounds().spare_bytes >> 10) + 30_000


@dataclass
class Full:
    """A district whose hub lies on a small disk."""

    district: District
    disk: Path
    waits: list[float] = field(default_factory=list)
    ballast: list[Path] = field(default_factory=list)

    def fill(self, leave: int) -> None:
        self.ballast.append(fill(self.disk, leave))

    def empty(self, seconds: float = 0.0) -> None:
        """What somebody does while the device waits."""
        self.waits.append(seconds)
        for path in self.ballast:
            path.unlink(missing_ok=True)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    with small_disk(tmp_path / "disk", DISK_KB) as disk:
        district = District.made(disk, readers=False)
        district.device = Device(tmp_path / "device", random.Random(7))
        district.device.enrol(district.hub.enrolment())
        yield Full(district, disk)


@pytest.mark.parametrize("leave", [0, 60_000], ids=["no room for the bytes", "no room for what is in them"])
def test_an_upload_into_a_full_disk_waits_and_ends_well_when_there_is_room(full: Full, leave: int) -> None:
    device = full.district.device
    device.practise(50)
    confirmed: list[int] = []
    with in_thread(full.district.site) as url:
        assert hand_over(device, url).acknowledged == 50
        device.practise(3000)

        def told(progress: object) -> None:
            confirmed.append(progress.done)  # type: ignore[attr-defined]
            if confirmed[-1] and not full.ballast:
                full.fill(leave)

        handed = hand_over(device, url, told, chance=Chance(sleep=full.empty))
        assert (handed.facts, handed.acknowledged) == (3000, 3000)
        assert full.waits
        assert full.waits[0] >= 300, "the hub said when to come again"
        assert confirmed == sorted(confirmed), "nothing that was confirmed is asked for again"
    assert device.states().acknowledged == 3050
    assert full.district.hub.rows("SELECT count(*), count(DISTINCT seq) FROM attempts") == [(3050, 3050)]
    assert full.district.outcomes("import") == ["imported", "imported"]
    assert not list((full.district.site.uploads / "arriving").iterdir())


def test_a_disk_that_stays_full_is_named_in_a_sentence_and_costs_nothing(full: Full) -> None:
    device = full.district.device
    device.practise(20)
    with in_thread(full.district.site) as url:
        full.fill(0)
        answer = ask(
            device,
            url,
            "PATCH",
            f"/v1/bundles/{'0' * 64}",
            content=b"x",
            headers={"Upload-Offset": "0", "Upload-Length": "9"},
        )
        assert (answer.status_code, answer.headers["amauta-reason"]) == (507, "hub-full")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["say"] == "el disco del centro está lleno"
        with pytest.raises(EdgeError) as raised:
            hand_over(device, url, patience_s=0.0)
        assert raised.value.key == "wire-lost"
        assert "el disco del centro está lleno" in raised.value.say("es")
        full.empty()
        assert hand_over(device, url).acknowledged == 20
